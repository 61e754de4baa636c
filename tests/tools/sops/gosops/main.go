// Command gosops runs sops' own Go packages in one process: as the peer of a
// benchmark, and as the reference of differential tests, thousands of
// documents without starting a program for each.
//
//	gosops decrypt N FILE...               decrypt each file N times, on one core
//	gosops encrypt N RECIPIENT REGEX FILE  encrypt a clear YAML file N times, on one core
//	gosops tree FORMAT                     print sops' tree of the clear text on stdin
//	gosops decrypt-json FORMAT             print the decrypted tree of the sealed text on stdin
//	gosops serve                           answer requests, one JSON object a line
//
// decrypt and encrypt print one JSON object, {"operations": n, "ns": [a round's ns per operation, …]}.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"

	"github.com/getsops/sops/v3/logging"
	"github.com/sirupsen/logrus"
)

func main() {
	// A comment that stays sealed is visible in the tree; sops' warning about it would be noise.
	logging.SetLevel(logrus.ErrorLevel)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gosops:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch {
	case verb == "decrypt" && len(args) >= 2, verb == "encrypt" && len(args) == 4:
		rounds, err := strconv.Atoi(args[0])
		if err != nil || rounds < 1 {
			return fmt.Errorf("N is a positive number, not %q", args[0])
		}
		runtime.GOMAXPROCS(1)
		var result timing
		if verb == "decrypt" {
			result, err = benchDecrypt(rounds, args[1:])
		} else {
			result, err = benchEncrypt(rounds, args[1], args[2], args[3])
		}
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(result)
	case (verb == "tree" || verb == "decrypt-json") && len(args) == 1:
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		operation := map[string]string{"tree": "tree", "decrypt-json": "decrypt"}[verb]
		reply := answer(request{Operation: operation, Format: args[0], Text: text})
		if reply.Error != "" {
			return fmt.Errorf("%s", reply.Error)
		}
		return json.NewEncoder(os.Stdout).Encode(reply.Documents)
	case verb == "serve" && len(args) == 0:
		return serve(os.Stdin, os.Stdout)
	}
	return fmt.Errorf("usage: gosops decrypt|encrypt|tree|decrypt-json|serve …, see main.go")
}

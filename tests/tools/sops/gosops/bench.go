package main

import (
	"fmt"
	"os"
	"time"

	"github.com/getsops/sops/v3/decrypt"
)

// timing is what a benchmark prints: how many operations a round has, and each round's time per operation.
type timing struct {
	Operations int     `json:"operations"`
	Ns         []int64 `json:"ns"`
}

// benchDecrypt times sops' stable API, which reads the file, finds the key and verifies the MAC.
func benchDecrypt(rounds int, paths []string) (timing, error) {
	return measure(rounds, len(paths), func() error {
		for _, path := range paths {
			if _, err := decrypt.File(path, ""); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		return nil
	})
}

// benchEncrypt times what "sops encrypt" does once its flags are parsed.
func benchEncrypt(rounds int, recipient, regex, path string) (timing, error) {
	order := request{
		Format:    "yaml",
		Groups:    [][]string{{recipient}},
		Selection: selection{EncryptedRegex: regex},
	}
	return measure(rounds, 1, func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		order.Text = text
		_, err = seal(order)
		return err
	})
}

// measure runs a round once to warm up, then times it again and again.
func measure(rounds, operations int, round func() error) (timing, error) {
	result := timing{Operations: operations}
	if err := round(); err != nil {
		return result, err
	}
	for range rounds {
		start := time.Now()
		if err := round(); err != nil {
			return result, err
		}
		result.Ns = append(result.Ns, time.Since(start).Nanoseconds()/int64(operations))
	}
	return result, nil
}

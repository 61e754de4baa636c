// Goyaml says what go-yaml and Go's standard library make of scalars, one JSON question a line.
//
//	{"op": "resolve", "text": BASE64, "tag": "..."}   a plain or tagged scalar, as the text that sops would hash
//	{"op": "read", "kind": "float", "text": BASE64}   decrypted text of a type, as the text that sops would hash
//	{"op": "float", "text": BASE64}                   a float in the forms of the MAC, of YAML and of JSON
//	{"op": "plain", "text": BASE64}                   is it read as this string when written without quotes?
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

type question struct {
	Op, Text, Tag, Kind string
}

type answer struct {
	Kind    string   `json:"kind,omitempty"`
	Text    string   `json:"text"`
	Failed  bool     `json:"failed,omitempty"`
	Forms   []string `json:"forms,omitempty"`
	InBlock bool     `json:"block,omitempty"`
	InFlow  bool     `json:"flow,omitempty"`
}

// hashed returns the type and the bytes with which a value enters the MAC.
func hashed(value any) (string, []byte, error) {
	switch value := value.(type) {
	case nil:
		return "null", nil, nil
	case string:
		return "str", []byte(value), nil
	case int:
		return "int", []byte(strconv.Itoa(value)), nil
	case float64:
		return "float", []byte(strconv.FormatFloat(value, 'f', -1, 64)), nil
	case bool:
		if value {
			return "bool", []byte("True"), nil
		}
		return "bool", []byte("False"), nil
	case time.Time:
		text, err := value.MarshalText()
		return "time", text, err
	}
	return "", nil, fmt.Errorf("%T has no place in the MAC", value)
}

func read(kind, text string) (any, error) {
	switch kind {
	case "int":
		return strconv.Atoi(text)
	case "float":
		return strconv.ParseFloat(text, 64)
	case "bool":
		return strconv.ParseBool(text)
	case "time":
		var moment time.Time
		err := moment.UnmarshalText([]byte(text))
		return moment, err
	}
	return nil, fmt.Errorf("unknown kind")
}

func isRead(document, text string) bool {
	var tree map[string][]any
	if err := yaml.Unmarshal([]byte(document), &tree); err != nil || len(tree["k"]) != 1 {
		return false
	}
	value, isString := tree["k"][0].(string)
	return isString && value == text
}

func floats(text string) ([]string, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, err
	}
	general, err := yaml.Marshal(value)
	if err != nil {
		return nil, err
	}
	ecma, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return []string{strconv.FormatFloat(value, 'f', -1, 64), string(general[:len(general)-1]), string(ecma)}, nil
}

func reply(asked question) answer {
	raw, err := base64.StdEncoding.DecodeString(asked.Text)
	if err != nil {
		panic(err)
	}
	text := string(raw)
	switch asked.Op {
	case "plain":
		return answer{
			InBlock: isRead("k:\n  - "+text+"\n", text),
			InFlow:  isRead("k: ["+text+"]\n", text),
		}
	case "float":
		forms, err := floats(text)
		return answer{Forms: forms, Failed: err != nil}
	}
	var value any
	if asked.Op == "resolve" {
		node := yaml.Node{Kind: yaml.ScalarNode, Tag: asked.Tag, Value: text}
		err = node.Decode(&value)
	} else {
		value, err = read(asked.Kind, text)
	}
	if err != nil {
		return answer{Failed: true}
	}
	kind, content, err := hashed(value)
	if err != nil {
		return answer{Failed: true}
	}
	return answer{Kind: kind, Text: base64.StdEncoding.EncodeToString(content)}
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<24)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		var asked question
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			panic(err)
		}
		if err := output.Encode(reply(asked)); err != nil {
			panic(err)
		}
	}
}

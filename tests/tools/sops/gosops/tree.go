package main

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/getsops/sops/v3"
)

// node is a value of sops' tree. A scalar's value is the text that sops hashes and seals.
type node struct {
	// Type is map, list, null, str, int, float, bool, time, bytes or comment; go:T for what sops cannot walk.
	Type  string  `json:"type"`
	Value *string `json:"value,omitempty"`
	// Raw takes the place of Value where it is no UTF-8.
	Raw    []byte  `json:"raw,omitempty"`
	Inline bool    `json:"inline,omitempty"`
	Items  []entry `json:"items,omitempty"`
}

// entry is a list's item, a map's key with its value, or a comment between them (a node without a key).
type entry struct {
	Key  *string `json:"key,omitempty"`
	Node node    `json:"node"`
}

func nodesOf(branches sops.TreeBranches) []node {
	nodes := make([]node, 0, len(branches))
	for _, branch := range branches {
		nodes = append(nodes, nodeOf(branch))
	}
	return nodes
}

func nodeOf(value any) node {
	switch value := value.(type) {
	case nil:
		return node{Type: "null"}
	case sops.TreeBranch:
		result := node{Type: "map"}
		for _, item := range value {
			if comment, ok := item.Key.(sops.Comment); ok {
				result.Items = append(result.Items, entry{Node: nodeOf(comment)})
				continue
			}
			key, ok := item.Key.(string)
			if !ok {
				key = fmt.Sprintf("go:%T:%v", item.Key, item.Key)
			}
			result.Items = append(result.Items, entry{Key: &key, Node: nodeOf(item.Value)})
		}
		return result
	case []any:
		result := node{Type: "list"}
		for _, item := range value {
			result.Items = append(result.Items, entry{Node: nodeOf(item)})
		}
		return result
	case sops.Comment:
		result := scalar("comment", value)
		result.Inline = value.Inline
		return result
	case string:
		return scalar("str", value)
	case int:
		return scalar("int", value)
	case float64:
		return scalar("float", value)
	case bool:
		return scalar("bool", value)
	case time.Time:
		return scalar("time", value)
	case []byte:
		return scalar("bytes", value)
	default:
		return node{Type: fmt.Sprintf("go:%T", value)}
	}
}

func scalar(kind string, value any) node {
	content, err := sops.ToBytes(value)
	if err != nil {
		return node{Type: "go:" + err.Error()}
	}
	if !utf8.Valid(content) {
		return node{Type: kind, Raw: content}
	}
	text := string(content)
	return node{Type: kind, Value: &text}
}

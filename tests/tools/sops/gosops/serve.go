package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/cmd/sops/common"
	"github.com/getsops/sops/v3/cmd/sops/formats"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/keyservice"
	"github.com/getsops/sops/v3/version"
)

// request is one line of "serve"'s input. Texts travel in base64, because they need not be UTF-8.
type request struct {
	// Operation is tree (of a clear text), sealed-tree (of a sealed one, values unopened), decrypt or encrypt.
	Operation string `json:"operation"`
	Format    string `json:"format"`
	Text      []byte `json:"text"`
	// Identity is the age identity to decrypt with; without it, what the environment gives.
	Identity string `json:"identity"`
	// Groups are age recipients, by key group; Threshold counts only with more than one group.
	Groups    [][]string `json:"groups"`
	Threshold int        `json:"threshold"`
	MACOnly   bool       `json:"mac_only_encrypted"`
	Selection selection  `json:"selection"`
}

type selection struct {
	UnencryptedSuffix       string `json:"unencrypted_suffix"`
	EncryptedSuffix         string `json:"encrypted_suffix"`
	UnencryptedRegex        string `json:"unencrypted_regex"`
	EncryptedRegex          string `json:"encrypted_regex"`
	UnencryptedCommentRegex string `json:"unencrypted_comment_regex"`
	EncryptedCommentRegex   string `json:"encrypted_comment_regex"`
}

// reply is one line of "serve"'s output: an error, or the trees and the text that the operation made.
type reply struct {
	Error     string `json:"error,omitempty"`
	Documents []node `json:"documents"`
	Text      []byte `json:"text"`
}

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	encoder := json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		var order request
		if err := json.Unmarshal(line, &order); err != nil {
			return err
		}
		if err := encoder.Encode(answer(order)); err != nil {
			return err
		}
	}
}

// answer does what one request asks. A panic of sops is an answer too: it is what the reference does.
func answer(order request) (result reply) {
	defer func() {
		if fault := recover(); fault != nil {
			result = reply{Error: fmt.Sprintf("panic: %v", fault)}
		}
	}()
	var err error
	switch order.Operation {
	case "tree":
		var branches sops.TreeBranches
		if branches, err = storeOf(order.Format).LoadPlainFile(order.Text); err == nil {
			result.Documents = nodesOf(branches)
		}
	case "sealed-tree":
		var tree sops.Tree
		if tree, err = storeOf(order.Format).LoadEncryptedFile(order.Text); err == nil {
			result.Documents = nodesOf(tree.Branches)
		}
	case "decrypt":
		var branches sops.TreeBranches
		if branches, err = open(order); err == nil {
			result.Documents = nodesOf(branches)
			result.Text, err = storeOf(order.Format).EmitPlainFile(branches)
		}
	case "encrypt":
		result.Text, err = seal(order)
	default:
		err = fmt.Errorf("no operation %q", order.Operation)
	}
	if err != nil {
		return reply{Error: err.Error()}
	}
	return result
}

func storeOf(format string) common.Store {
	return common.StoreForFormat(formats.FormatFromString(format), config.NewStoresConfig())
}

// open decrypts a sealed text as the command does, the MAC verified.
func open(order request) (sops.TreeBranches, error) {
	if order.Identity != "" {
		if err := os.Setenv(age.SopsAgeKeyEnv, order.Identity); err != nil {
			return nil, err
		}
	}
	tree, err := storeOf(order.Format).LoadEncryptedFile(order.Text)
	if err != nil {
		return nil, err
	}
	_, err = common.DecryptTree(common.DecryptTreeOpts{
		Tree:            &tree,
		KeyServices:     []keyservice.KeyServiceClient{keyservice.NewLocalClient()},
		DecryptionOrder: sops.DefaultDecryptionOrder,
		Cipher:          aes.NewCipher(),
	})
	return tree.Branches, err
}

// seal encrypts a clear text as the command does.
func seal(order request) ([]byte, error) {
	store := storeOf(order.Format)
	branches, err := store.LoadPlainFile(order.Text)
	if err != nil {
		return nil, err
	}
	if len(branches) < 1 {
		return nil, fmt.Errorf("no document")
	}
	if store.HasSopsTopLevelKey(branches[0]) {
		return nil, fmt.Errorf("already encrypted")
	}
	groups, err := groupsOf(order.Groups)
	if err != nil {
		return nil, err
	}
	tree := sops.Tree{Branches: branches, Metadata: sops.Metadata{
		KeyGroups:               groups,
		ShamirThreshold:         order.Threshold,
		MACOnlyEncrypted:        order.MACOnly,
		UnencryptedSuffix:       order.Selection.UnencryptedSuffix,
		EncryptedSuffix:         order.Selection.EncryptedSuffix,
		UnencryptedRegex:        order.Selection.UnencryptedRegex,
		EncryptedRegex:          order.Selection.EncryptedRegex,
		UnencryptedCommentRegex: order.Selection.UnencryptedCommentRegex,
		EncryptedCommentRegex:   order.Selection.EncryptedCommentRegex,
		Version:                 version.Version,
		LastModified:            time.Now().UTC(),
	}}
	services := []keyservice.KeyServiceClient{keyservice.NewLocalClient()}
	dataKey, faults := tree.GenerateDataKeyWithKeyServices(services)
	if len(faults) > 0 {
		return nil, fmt.Errorf("no data key: %v", faults)
	}
	err = common.EncryptTree(common.EncryptTreeOpts{DataKey: dataKey, Tree: &tree, Cipher: aes.NewCipher()})
	if err != nil {
		return nil, err
	}
	return store.EmitEncryptedFile(tree)
}

func groupsOf(recipients [][]string) ([]sops.KeyGroup, error) {
	var groups []sops.KeyGroup
	for _, members := range recipients {
		var group sops.KeyGroup
		for _, recipient := range members {
			key, err := age.MasterKeyFromRecipient(recipient)
			if err != nil {
				return nil, err
			}
			group = append(group, key)
		}
		groups = append(groups, group)
	}
	return groups, nil
}

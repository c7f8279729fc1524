// SPDX-License-Identifier: Apache-2.0
// Hands cases to the sample of docs/partners.md (sample.go).
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func judge(folder string) error {
	var headers, settings map[string]string
	var failed error
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(folder, name))
		failed = errors.Join(failed, err)
		return content
	}
	body, keySet := read("body"), read("key_set.json")
	failed = errors.Join(failed, json.Unmarshal(read("headers.json"), &headers), json.Unmarshal(read("settings.json"), &settings))
	if failed != nil {
		return failed
	}
	notice, err := VerifyNotice(headers, body, settings["secret"], keySet, settings["issuer"], settings["client_id"])
	if err == nil && notice.ChangeType != 1 {
		err = errors.New("another notice")
	}
	return err
}

func main() {
	for _, folder := range os.Args[1:] {
		if err := judge(folder); err != nil {
			fmt.Println(filepath.Base(folder), "refused", err)
		} else {
			fmt.Println(filepath.Base(folder), "accepted")
		}
	}
}

// Prints the digest of each recorded run: `go run digest.go FOLDER`, as conformance/README.md says.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

type event = map[string]any

func encoded(value any) string {
	switch value := value.(type) {
	case nil:
		return "n"
	case bool:
		return fmt.Sprint(value)[:1]
	case json.Number:
		return "i" + value.String() + "e"
	case string:
		return fmt.Sprintf("%d:%s", len(value), value)
	case []any:
		items := "l"
		for _, item := range value {
			items += encoded(item)
		}
		return items + "e"
	}
	fields := []string{}
	for name, item := range value.(event) {
		if item != nil {
			fields = append(fields, name)
		}
	}
	if len(fields) == 0 {
		return "le"
	}
	sort.Strings(fields) // by their bytes
	for at, name := range fields {
		fields[at] = encoded(name) + encoded(value.(event)[name])
	}
	return "d" + strings.Join(fields, "") + "e"
}

func reading(recorded []byte, facts map[string][]string) []any {
	entries := []any{}
	blocks := map[string]map[string]string{"delta": {}, "thinking": {}}
	ended := false
	for lines := bytes.Split(recorded, []byte("\n")); len(lines) > 1 && !ended; lines = lines[1:] {
		var event event
		decode(lines[0], &event)
		kind := event["type"].(string)
		if attempt, later := event["attempt"]; kind == "start" && later && attempt != json.Number("1") {
			entries, blocks = []any{}, map[string]map[string]string{"delta": {}, "thinking": {}}
		}
		if texts, isText := blocks[kind]; isText {
			texts[number(event["block"])] += event["text"].(string)
		} else if names, isFact := facts[kind]; isFact {
			entry := []any{kind}
			for _, name := range names {
				entry = append(entry, event[name])
			}
			entries = append(entries, entry)
		}
		if kind == "discard" {
			for _, block := range event["blocks"].([]any) {
				delete(blocks["delta"], number(block))
				delete(blocks["thinking"], number(block))
			}
		}
		ended = kind == "done" || kind == "error" || kind == "aborted"
	}
	if !ended {
		entries = append(entries, []any{"error", "worker_lost", true, nil, nil})
	}
	return []any{entries, joined(blocks["delta"]), joined(blocks["thinking"])}
}

// number writes a block's number so that the order of such texts is that of their numbers.
func number(block any) string { return fmt.Sprintf("%20s", block) }

func joined(texts map[string]string) string {
	numbers := []string{}
	for number := range texts {
		numbers = append(numbers, number)
	}
	sort.Strings(numbers)
	text := ""
	for _, number := range numbers {
		text += texts[number]
	}
	return text
}

func decode(document []byte, target any) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber() // a float64 would be written another way
	must(decoder.Decode(target))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	listed, err := os.ReadFile(filepath.Join(os.Args[1], "reading.json"))
	must(err)
	var facts map[string][]string
	decode(listed, &facts)
	files, err := filepath.Glob(filepath.Join(os.Args[1], "transcripts", "*.ndjson"))
	must(err)
	digests := map[string]string{}
	for _, file := range files {
		recorded, err := os.ReadFile(file)
		must(err)
		name := strings.TrimSuffix(filepath.Base(file), ".ndjson")
		digests[name] = fmt.Sprintf("%x", sha256.Sum256([]byte(encoded(reading(recorded, facts)))))
	}
	must(json.NewEncoder(os.Stdout).Encode(digests))
}

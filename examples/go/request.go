package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
)

const (
	mostProblems = 100 // that are told: more would not fit a line
	deepest      = 128 // levels of JSON: some readers take few more, PHP 512
)

// Request is what may be asked; see askedFields and runFields.
type Request struct {
	Asked
	Run    string
	PaceS  float64 `json:"pace_s"` // seconds between two lines of the text, for whoever wants to see it come
	Limits struct {
		TimeoutS float64 `json:"timeout_s"`
	}
	Stream struct {
		PingS   float64 `json:"ping_s"`
		Partial bool
	}
}

var (
	askedFields = map[string]check{
		"partner": fields(map[string]check{"id": text(100), "name": text(200)}, "id", "name"),
		"metrics": fields(map[string]check{
			"revenue_eur": number(-1e12, 1e12), "revenue_target_eur": number(0, 1e12), "pipeline_eur": number(0, 1e12),
			"deals_won": count, "deals_lost": count, "open_tickets": count, "last_contact_on": date,
		}),
		"as_of": date,
	}
	runFields = map[string]check{
		"v": number(1, 1), "run": id, "metadata": metadata, "session_owner": text(256), "pace_s": number(0, 600),
		"subject": fields(map[string]check{"type": text(256), "id": text(256)}, "type", "id"),
		"user":    text(256), "goal": text(4096), "attempt": attempt, "traceparent": traceparent,
		"limits": fields(map[string]check{
			"timeout_s": number(0.001, 604800), "idle_timeout_s": number(0.001, 604800), "max_budget_usd": number(0, 1e9),
		}),
		"stream": fields(map[string]check{"ping_s": number(0.1, 3600), "partial": boolean, "tool_output": boolean}),
	}
	toScore = fields(askedFields, "partner", "metrics", "as_of")
	toRun   = fields(both(askedFields, runFields), "partner", "metrics", "as_of")
)

// decode reads a request. plain is the document as it came, numbers included; problems is nil where nothing is wrong.
func decode(document []byte, check check) (request Request, plain object, problems []Problem) {
	reader := json.NewDecoder(bytes.NewReader(document))
	reader.UseNumber()
	var value any
	err := reader.Decode(&value)
	if _, end := reader.Token(); err != nil || end != io.EOF {
		return request, nil, wrong("", "is not one JSON document of at most 1 MiB")
	}
	if !repeatable(value, deepest) {
		return request, nil, wrong("", fmt.Sprintf("is nested deeper than %d levels, or has a number beyond a double", deepest))
	}
	plain, _ = value.(object)
	if problems = check("", value); problems != nil {
		sort.Slice(problems, func(i, j int) bool { return problems[i].Pointer < problems[j].Pointer })
		if len(problems) > mostProblems {
			problems = problems[:mostProblems]
		}
		return request, plain, problems
	}
	request.Limits.TimeoutS, request.Stream.PingS, request.Stream.Partial = 300, 10, true
	if err := json.Unmarshal(encode(plain), &request); err != nil {
		return request, plain, wrong("", "cannot be read")
	}
	return request, plain, request.problems()
}

// repeatable tells whether every reader can take a value that comes back, as metadata does.
func repeatable(value any, levels int) bool {
	switch value := value.(type) {
	case object:
		for _, each := range value {
			if levels == 0 || !repeatable(each, levels-1) {
				return false
			}
		}
	case []any:
		for _, each := range value {
			if levels == 0 || !repeatable(each, levels-1) {
				return false
			}
		}
	case json.Number:
		_, err := value.Float64()
		return err == nil
	}
	return true
}

// problems is what is wrong with fields that are right each by itself.
func (a Asked) problems() []Problem {
	if contact := a.Metrics.LastContact; contact != nil && *contact > a.AsOf {
		return wrong("/metrics/last_contact_on", "lies after as_of")
	}
	if len(a.reasons()) == 0 {
		return wrong("/metrics", "has nothing to judge by; give open_tickets, last_contact_on, deals_won and deals_lost, "+
			"or revenue_target_eur and one of revenue_eur and pipeline_eur")
	}
	return nil
}

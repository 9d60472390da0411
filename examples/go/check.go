package main

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

type object = map[string]any

// Problem is one thing that is wrong with a request, and where.
type Problem struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

// check returns what is wrong with the value at a place.
type check func(at string, value any) []Problem

func wrong(at, message string) []Problem { return []Problem{{at, message}} }

// fields checks an object. Go's decoder takes unknown names, null and names in other letters; a worker must not.
func fields(known map[string]check, required ...string) check {
	return func(at string, value any) (found []Problem) {
		given, isObject := value.(object)
		if !isObject {
			return wrong(at, "must be an object")
		}
		for _, name := range required {
			if _, there := given[name]; !there {
				found = append(found, wrong(at+"/"+name, "is required")...)
			}
		}
		for name, value := range given {
			if check, isKnown := known[name]; isKnown {
				found = append(found, check(at+"/"+name, value)...)
			} else {
				found = append(found, wrong(at+"/"+pointer(name), "is not a known field")...)
			}
		}
		return found
	}
}

func text(longest int) check {
	return func(at string, value any) []Problem {
		text, isText := value.(string)
		if !isText || text == "" || utf8.RuneCountInString(text) > longest {
			return wrong(at, fmt.Sprintf("must be a text of 1 to %d characters", longest))
		}
		return nil
	}
}

func number(least, most float64) check {
	return func(at string, value any) []Problem {
		number, isNumber := value.(json.Number)
		if float, err := number.Float64(); !isNumber || err != nil || float < least || float > most {
			return wrong(at, fmt.Sprintf("must be a number from %g to %g", least, most))
		}
		return nil
	}
}

func count(at string, value any) []Problem {
	number, isNumber := value.(json.Number)
	if whole, err := number.Int64(); !isNumber || err != nil || whole < 0 || whole > 1e9 {
		return wrong(at, "must be a whole number from 0 to 1000000000")
	}
	return nil
}

func boolean(at string, value any) []Problem {
	if _, isBoolean := value.(bool); !isBoolean {
		return wrong(at, "must be true or false")
	}
	return nil
}

func date(at string, value any) []Problem {
	text, _ := value.(string)
	if _, err := time.Parse(day, text); err != nil {
		return wrong(at, "must be a date such as 2026-11-26")
	}
	return nil
}

var ids = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

func id(at string, value any) []Problem {
	if text, _ := value.(string); !ids.MatchString(text) {
		return wrong(at, "must be 1 to 128 of A-Z a-z 0-9 . _ : -")
	}
	return nil
}

func attempt(at string, value any) []Problem {
	number, isNumber := value.(json.Number)
	if float, err := number.Float64(); !isNumber || err != nil || float != math.Trunc(float) || float < 1 || float > 1000 {
		return wrong(at, "must be a whole number from 1 to 1000")
	}
	return nil
}

var (
	traces    = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	noneTrace = regexp.MustCompile(`^00-(0{32}-|[0-9a-f]{32}-0{16}-)`)
)

func traceparent(at string, value any) []Problem {
	if text, _ := value.(string); !traces.MatchString(text) || noneTrace.MatchString(text) {
		return wrong(at, "must be a W3C traceparent of version 00")
	}
	return nil
}

func metadata(at string, value any) []Problem {
	if _, isObject := value.(object); !isObject {
		return wrong(at, "must be an object")
	}
	if size := len(compact(value)); size > 16384 {
		return wrong(at, fmt.Sprintf("has %d bytes; at most 16384 are allowed", size))
	}
	return nil
}

// pointer writes a name as JSON pointers have it, cut to what a reader needs to find it.
func pointer(name string) string {
	if runes := []rune(name); len(runes) > 100 {
		name = string(runes[:100])
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func both(some, others map[string]check) map[string]check {
	all := map[string]check{}
	for _, each := range []map[string]check{some, others} {
		for name, check := range each {
			all[name] = check
		}
	}
	return all
}

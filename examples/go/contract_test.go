package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestAJobThatPanicsEndsTheRunByAnError(t *testing.T) {
	var out bytes.Buffer
	run := &Run{events: events{out: &out, run: "r"}, began: time.Now()}
	request, plain, problems := decode([]byte(acme+`{"open_tickets": 1}}`), toRun)
	if problems != nil {
		t.Fatal(problems)
	}
	run.start(plain)
	status := run.follow(request, func(say func(string)) any { say("Well. "); panic("no") }, nil, nil)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if last := lines[len(lines)-1]; status != 1 || len(lines) != 3 || !strings.Contains(last, `"code":"internal"`) {
		t.Errorf("status %d, %s", status, out.String())
	}
}

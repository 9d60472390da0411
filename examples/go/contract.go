package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"os"
	"time"
)

const longest = 1 << 20 // bytes of a request, and of a message

// Run is one run. Everything that happens in it comes to one goroutine, which alone writes events: so they are numbered
// without gaps, and nothing follows the last one.
type Run struct {
	events
	began time.Time
	text  string // what was told so far
}

// work runs the request that comes from stdin, and returns the exit status.
func work(stdin io.Reader, stdout io.Writer, control bool, signals <-chan os.Signal) int {
	run := &Run{events: events{out: stdout, run: newID()}, began: time.Now()}
	lines := make(chan []byte)
	go read(stdin, control, lines)
	var document []byte
	select {
	case document = <-lines:
	case <-signals:
		return run.aborted("signal")
	}
	request, plain, problems := decode(document, toRun)
	if id("", plain["run"]) == nil {
		run.run = plain["run"].(string)
	}
	if version, given := plain["v"]; given && number(1, 1)("/v", version) != nil {
		return run.failed("unsupported_version", "This worker knows version 1 of the contract only.", wrong("/v", "must be 1"))
	}
	if problems != nil {
		return run.failed("invalid_request", "The request is not valid.", problems)
	}
	run.start(plain)
	if !control {
		lines = nil // stdin has ended, which is no stop
	}
	return run.follow(request, request.work, lines, signals)
}

// job tells its text piece by piece, and returns what done shall have as output.
type job func(say func(text string)) any

// follow tells what the job says, until it is done or something else ends it.
func (r *Run) follow(request Request, job job, lines <-chan []byte, signals <-chan os.Signal) int {
	pieces, outputs := make(chan string), make(chan any)
	go guarded(job, pieces, outputs)
	deadline := time.After(seconds(request.Limits.TimeoutS))
	for {
		select {
		case piece := <-pieces:
			r.text += piece
			if request.Stream.Partial {
				r.emit("delta", object{"text": piece, "block": 1})
			}
		case output := <-outputs:
			if output == nil {
				return r.failed("internal", "The worker has failed; its stderr says more.", nil)
			}
			return r.done(output, request.Stream.Partial)
		case line, isOpen := <-lines:
			if !isOpen {
				return r.aborted("parent_gone")
			}
			if r.obey(line) {
				return r.aborted("client")
			}
		case <-signals:
			return r.aborted("signal")
		case <-deadline:
			return r.failed("timeout", "The work was not done in time.", nil)
		case <-time.After(seconds(request.Stream.PingS) - time.Since(r.wroteAt)):
			r.emit("ping", object{"idle_ms": time.Since(r.saidAt).Milliseconds()})
		}
	}
}

// guarded does the job. The output is nil where that panics, for then, too, the run must end by an event.
func guarded(job job, pieces chan<- string, outputs chan<- any) {
	defer func() {
		if cause := recover(); cause != nil {
			log.Printf("panic: %v", cause)
			outputs <- nil
		}
	}()
	outputs <- job(func(text string) { pieces <- text })
}

// read sends the request, and with control each message after it; it closes lines where stdin ends.
func read(stdin io.Reader, control bool, lines chan<- []byte) {
	defer close(lines)
	if !control {
		document, _ := io.ReadAll(io.LimitReader(stdin, longest+1))
		lines <- document
		return
	}
	for scanner := newScanner(stdin); scanner.Scan(); {
		lines <- append([]byte{}, scanner.Bytes()...)
	}
}

// newScanner reads lines. One that is too long comes as an empty one, at once, and the rest of it is dropped.
func newScanner(stdin io.Reader) *bufio.Scanner {
	scanner, isDropping := bufio.NewScanner(stdin), false
	scanner.Buffer(nil, 2*longest)
	scanner.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		read, line, err := bufio.ScanLines(data, atEOF)
		wasDropping, isTooLong := isDropping, len(line) > longest || read == 0 && len(data) > longest
		isDropping = read == 0 && (wasDropping || isTooLong)
		if isDropping {
			read = len(data)
		}
		if wasDropping {
			line = nil
		} else if isTooLong {
			line = []byte{}
		}
		return read, line, err
	})
	return scanner
}

// obey answers a message, and says whether it ends the run.
func (r *Run) obey(line []byte) bool {
	var message object
	err := json.Unmarshal(line, &message)
	name, _ := message["id"].(string)
	switch {
	case err != nil || text(128)("", name) != nil:
		r.emit("notice", object{"level": "warning", "code": "invalid_message", "message": "A line on stdin has no id that can be read; it changed nothing."})
	case message["type"] != "abort":
		r.emit("ack", object{"id": name, "ok": false, "code": "unknown_type"})
	case len(message) != 2:
		r.emit("ack", object{"id": name, "ok": false, "code": "invalid_message"})
	default:
		r.emit("ack", object{"id": name, "ok": true})
		return true
	}
	return false
}

// The ends: each writes the last event, and returns the exit status that belongs to it.

func (r *Run) done(output any, told bool) int {
	if !told {
		r.emit("delta", object{"text": r.text, "block": 1})
	}
	r.emit("done", r.about(object{
		"stop_reason": "end_turn", "text": r.text, "output": output, "usage": object{}, "turns": 0,
		"duration_ms": time.Since(r.began).Milliseconds(),
	}))
	return 0
}

func (r *Run) failed(code, message string, problems []Problem) int {
	fields := object{"code": code, "message": message, "retryable": false}
	if problems == nil {
		r.emit("error", r.about(fields))
		return 1
	}
	fields["details"] = problems
	r.emit("error", fields)
	return 2
}

func (r *Run) aborted(reason string) int {
	r.emit("aborted", r.about(object{"reason": reason}))
	return 3
}

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf16"
)

// events writes the events of a run.
type events struct {
	out     io.Writer
	run     string
	seq     int
	echo    object    // what the first and the last event repeat of the request
	wroteAt time.Time // when the last event was written
	saidAt  time.Time // the same of those that are no pings
}

// envelope is what each event begins with; a map alone would come out in the order of the alphabet.
type envelope struct {
	V    int    `json:"v"`
	Seq  int    `json:"seq"`
	Run  string `json:"run"`
	Ts   string `json:"ts"`
	Type string `json:"type"`
}

// emit writes an event by one write. Where nobody reads any more there is nothing left to do.
func (e *events) emit(kind string, fields object) {
	e.seq++
	e.wroteAt = time.Now()
	if kind != "ping" {
		e.saidAt = e.wroteAt
	}
	ts := e.wroteAt.UTC().Format("2006-01-02T15:04:05.000Z")
	head := encode(envelope{1, e.seq, e.run, ts, kind})
	line := append(append(head[:len(head)-1], ','), encode(fields)[1:]...)
	if _, err := e.out.Write(append(line, '\n')); err != nil {
		os.Exit(4)
	}
}

func (e *events) start(request object) {
	e.echo = object{}
	for _, name := range []string{"metadata", "subject", "user", "goal"} {
		if value, given := request[name]; given {
			e.echo[name] = value
		}
	}
	fields := object{"worker": worker, "worker_version": version, "sdk_version": "none", "simulated": false}
	if value, given := request["traceparent"]; given {
		fields["traceparent"] = value
	}
	if number, given := request["attempt"].(json.Number); given {
		if attempt, _ := number.Float64(); attempt > 1 {
			fields["attempt"] = int(attempt)
		}
	}
	e.emit("start", e.about(fields))
}

// about adds what the request is about. Before start there is nothing to add.
func (e *events) about(fields object) object {
	for name, value := range e.echo {
		fields[name] = value
	}
	return fields
}

// encode writes JSON in ASCII alone. In JSON, other characters stand within texts only, so they can be escaped there.
func encode(value any) []byte {
	var ascii bytes.Buffer
	for _, char := range string(compact(value)) {
		if char < 0x80 {
			ascii.WriteRune(char)
		} else if high, low := utf16.EncodeRune(char); char < 0x10000 {
			fmt.Fprintf(&ascii, `\u%04x`, char)
		} else {
			fmt.Fprintf(&ascii, `\u%04x\u%04x`, high, low)
		}
	}
	return ascii.Bytes()
}

func compact(value any) []byte {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // only what JSON has is ever written
	}
	return bytes.TrimSuffix(plain.Bytes(), []byte("\n"))
}

// newID returns a random UUID.
func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func seconds(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }

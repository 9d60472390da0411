// Command scorer scores business partners without a model: as a worker that keeps the contract of agent-workers, or with
// -http as a small server.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
)

const (
	worker  = "partner-scorer"
	version = "1.0.0"
)

// ignored is a flag that callers may give, with a value or without, and that means nothing here.
type ignored struct{}

func (ignored) String() string   { return "" }
func (ignored) Set(string) error { return nil }
func (ignored) IsBoolFlag() bool { return true }

func main() {
	control := flag.Bool("control", false, "keep stdin open for messages; its end stops the run")
	address := flag.String("http", "", "serve POST /score at this `address`, such as 127.0.0.1:8090")
	doctor := flag.String("doctor", "", "say as `json` that the program can run")
	flag.Var(ignored{}, "simulate", "nothing: no model is asked that a simulator could stand in for")
	flag.Parse()
	log.SetFlags(0)

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	// A write to a closed stdout or stderr would kill a Go program; so it fails instead.
	signal.Ignore(syscall.SIGPIPE)

	switch {
	case *doctor != "":
		fmt.Println(`{"status": "ok", "checks": []}`)
	case *address != "":
		os.Exit(serve(*address, signals))
	default:
		os.Exit(work(os.Stdin, claimStdout(), *control, signals))
	}
}

// claimStdout returns a private duplicate of stdout for the events; what anything else prints goes to stderr.
func claimStdout() *os.File {
	private, err := syscall.Dup(1)
	if err != nil {
		os.Exit(4) // there is no stdout
	}
	os.Stdout = os.Stderr
	return os.NewFile(uintptr(private), "events")
}

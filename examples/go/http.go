package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

// serve answers POST /score at an address until a signal comes, and returns the exit status.
func serve(address string, signals <-chan os.Signal) int {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Printf("cannot listen: %v", err)
		return 1
	}
	log.Printf("listening at http://%s", listener.Addr())
	server := &http.Server{
		Handler: handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second,
	}
	go func() { _ = server.Serve(listener) }()
	<-signals
	patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(patience); err != nil { // it answers what it has begun to
		return 1
	}
	return 0
}

func handler() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("/score", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			refuse(w, http.StatusMethodNotAllowed, "Send the request by POST.", nil)
			return
		}
		document, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longest))
		if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
			refuse(w, http.StatusRequestEntityTooLarge, "The request is longer than 1 MiB.", nil)
			return
		} else if err != nil {
			refuse(w, http.StatusBadRequest, "The request did not arrive whole.", nil)
			return
		}
		request, plain, problems := decode(document, toScore)
		switch {
		case problems == nil:
			answer(w, http.StatusOK, request.score())
		case plain == nil:
			refuse(w, http.StatusBadRequest, "The request is not a JSON object.", problems)
		default:
			refuse(w, http.StatusUnprocessableEntity, "The request is not valid.", problems)
		}
	})
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "There is POST /score, and nothing else.", nil)
	})
	return routes
}

// refuse answers as the event error does, without what belongs to a run.
func refuse(w http.ResponseWriter, status int, message string, problems []Problem) {
	fields := object{"code": "invalid_request", "message": message, "retryable": false}
	if problems != nil {
		fields["details"] = problems
	}
	answer(w, status, fields)
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(encode(value), '\n')) // it may have gone
}

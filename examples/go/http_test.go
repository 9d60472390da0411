package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func post(body string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	handler().ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/score", strings.NewReader(body)))
	return answer
}

func TestPostAnswersTheScoreThatARunHasAsItsOutput(t *testing.T) {
	answer := post(acme + `{"deals_won": 3, "deals_lost": 1}}`)
	want := `{"partner":"p-1","score":75,"status":"healthy","reasons":[` +
		`{"figure":"deals_won","points":15,"of":20,"text":"Deals won: 3 of 4."}]}` + "\n"
	if answer.Code != http.StatusOK || answer.Body.String() != want {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestARefusalSaysWhatIsWrongAndWhere(t *testing.T) {
	for body, want := range map[string]string{
		`{`:  `400 [{ is not one JSON document of at most 1 MiB}]`,
		`[]`: `400 [{ must be an object}]`,
		acme + `{"open_tickets": 1}, "run": "r"}`: `422 [{/run is not a known field}]`,
		acme + `{"opentickets": 1}}`:              `422 [{/metrics/opentickets is not a known field}]`,
		strings.Repeat(" ", longest+1):            `413 []`,
	} {
		answer := post(body)
		var refusal struct {
			Code    string
			Details []Problem
		}
		err := json.Unmarshal(answer.Body.Bytes(), &refusal)
		if got := fmt.Sprint(answer.Code, " ", refusal.Details); err != nil || got != want || refusal.Code != "invalid_request" {
			t.Errorf("%.60s\n got %s (%s)\nwant %s", body, got, answer.Body, want)
		}
	}
}

func TestOtherMethodsAndPlacesAreRefusedInJson(t *testing.T) {
	for status, request := range map[int]*http.Request{
		http.StatusMethodNotAllowed: httptest.NewRequest(http.MethodGet, "/score", nil),
		http.StatusNotFound:         httptest.NewRequest(http.MethodPost, "/", nil),
	} {
		answer := httptest.NewRecorder()
		handler().ServeHTTP(answer, request)
		if answer.Code != status || !json.Valid(answer.Body.Bytes()) {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	}
}

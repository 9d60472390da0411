package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

const acme = `{"partner": {"id": "p-1", "name": "Acme"}, "as_of": "2026-11-26", "metrics": `

func asked(t *testing.T, metrics string) Asked {
	t.Helper()
	request, _, problems := decode([]byte(acme+metrics+"}"), toScore)
	if problems != nil {
		t.Fatal(problems)
	}
	return request.Asked
}

func TestAScoreIsMadeOfWhatIsKnown(t *testing.T) {
	for metrics, want := range map[string]Score{
		`{"open_tickets": 0}`:                                              {Score: 100, Status: "healthy"},
		`{"open_tickets": 12}`:                                             {Score: 0, Status: "at_risk"},
		`{"last_contact_on": "2026-11-12"}`:                                {Score: 100, Status: "healthy"},
		`{"last_contact_on": "2026-08-28"}`:                                {Score: 0, Status: "at_risk"},
		`{"deals_won": 2, "deals_lost": 2, "open_tickets": 5}`:             {Score: 50, Status: "watch"},
		`{"revenue_eur": -5, "revenue_target_eur": 10, "open_tickets": 0}`: {Score: 20, Status: "at_risk"},
		`{"revenue_eur": 7, "revenue_target_eur": 10}`:                     {Score: 70, Status: "healthy"},
		`{"revenue_eur": 4, "revenue_target_eur": 10}`:                     {Score: 40, Status: "watch"},
	} {
		if got := asked(t, metrics).score(); got.Score != want.Score || got.Status != want.Status {
			t.Errorf("%s: got %d, %s; want %d, %s", metrics, got.Score, got.Status, want.Score, want.Status)
		}
	}
}

func TestTheReasonsOfAllFiguresComeToAHundredPoints(t *testing.T) {
	document, err := os.ReadFile("conform.json")
	if err != nil {
		t.Fatal(err)
	}
	var profile struct{ Request Asked }
	if err := json.Unmarshal(document, &profile); err != nil {
		t.Fatal(err)
	}
	score := profile.Request.score()
	points, of := 0, 0
	for _, reason := range score.Reasons {
		points, of = points+reason.Points, of+reason.Of
	}
	if of != 100 || points != score.Score || score.Partner != "p-1042" {
		t.Errorf("%d of %d points make %v", points, of, score)
	}
	if told := strings.Join(score.told("Acme"), ""); !strings.HasPrefix(told, "Acme: 54 of 100, watch.\n24 of 40: Revenue: 59 %") {
		t.Errorf("told: %s", told)
	}
}

func TestARequestIsToldAllThatIsWrongWithIt(t *testing.T) {
	for document, want := range map[string]string{
		`[1]`:                                    ": must be an object",
		`{} {}`:                                  ": is not one JSON document of at most 1 MiB",
		acme + `{"open_tickets": 1}, "Run": ""}`: "/Run: is not a known field",
		acme + `{"open_tickets": null}}`:         "/metrics/open_tickets: must be a whole number from 0 to 1000000000",
		acme + `{"open_tickets": 1.5, "a/b": 1}}`: "/metrics/a~1b: is not a known field; " +
			"/metrics/open_tickets: must be a whole number from 0 to 1000000000",
		acme + `{"last_contact_on": "2026-11-27"}}`: "/metrics/last_contact_on: lies after as_of",
		`{"partner": {"name": ""}, "metrics": {}, "as_of": "x"}`: "/as_of: must be a date such as 2026-11-26; " +
			"/partner/id: is required; /partner/name: must be a text of 1 to 200 characters",
	} {
		_, _, problems := decode([]byte(document), toRun)
		told := []string{}
		for _, problem := range problems {
			told = append(told, problem.Pointer+": "+problem.Message)
		}
		if got := strings.Join(told, "; "); got != want {
			t.Errorf("%s\n got %s\nwant %s", document, got, want)
		}
	}
}

func TestALineFitsHoweverMuchIsWrong(t *testing.T) {
	name := strings.Repeat("😀", 500)
	fields := []string{}
	for at := 0; at < 400; at++ {
		fields = append(fields, `"`+string(rune('a'+at/26))+string(rune('a'+at%26))+name+`": 1`)
	}
	var out bytes.Buffer
	status := work(strings.NewReader("{"+strings.Join(fields, ",")+"}"), &out, false, nil)
	if status != 2 || out.Len() > 262144 || bytes.Count(out.Bytes(), []byte("is not a known field")) < 90 {
		t.Errorf("status %d, %d bytes", status, out.Len())
	}
}

package main

import (
	"fmt"
	"math"
	"time"
)

const day = "2006-01-02"

// Asked is what a score is made of. The names are those of the skill partner-health; what is nil is not known.
type Asked struct {
	Partner struct{ ID, Name string }
	Metrics struct {
		Revenue     *float64 `json:"revenue_eur"`
		Target      *float64 `json:"revenue_target_eur"`
		Pipeline    *float64 `json:"pipeline_eur"`
		Won         *float64 `json:"deals_won"`
		Lost        *float64 `json:"deals_lost"`
		Tickets     *float64 `json:"open_tickets"`
		LastContact *string  `json:"last_contact_on"`
	}
	AsOf string `json:"as_of"`
}

// Score says how well things stand with a partner, from 0 to 100, and why.
type Score struct {
	Partner string   `json:"partner"`
	Score   int      `json:"score"`
	Status  string   `json:"status"`
	Reasons []Reason `json:"reasons"`
}

// Reason is one figure's part in the score: so many points of those that it could bring.
type Reason struct {
	Figure string `json:"figure"`
	Points int    `json:"points"`
	Of     int    `json:"of"`
	Text   string `json:"text"`
}

// reasons judges each figure that is known. The points of all of them come to 100.
func (a Asked) reasons() []Reason {
	found := []Reason{}
	judge := func(figure string, of int, share float64, text string, values ...any) {
		points := int(math.Round(float64(of) * math.Max(0, math.Min(1, share))))
		found = append(found, Reason{figure, points, of, fmt.Sprintf(text, values...)})
	}
	m := a.Metrics
	if m.Target != nil && *m.Target >= 1 {
		if m.Revenue != nil {
			share := *m.Revenue / *m.Target
			judge("revenue_eur", 40, share, "Revenue: %.0f %% of the target.", 100*share)
		}
		if m.Pipeline != nil {
			share := *m.Pipeline / *m.Target
			judge("pipeline_eur", 15, share, "Open deals: worth %.0f %% of the target.", 100*share)
		}
	}
	if m.Won != nil && m.Lost != nil && *m.Won+*m.Lost > 0 {
		judge("deals_won", 20, *m.Won/(*m.Won+*m.Lost), "Deals won: %.0f of %.0f.", *m.Won, *m.Won+*m.Lost)
	}
	if m.LastContact != nil {
		days := daysBetween(*m.LastContact, a.AsOf)
		judge("last_contact_on", 15, (90-days)/(90-14), "Last contact: %.0f days ago.", days)
	}
	if m.Tickets != nil {
		judge("open_tickets", 10, 1-*m.Tickets/10, "Open tickets: %.0f.", *m.Tickets)
	}
	return found
}

// score weighs the figures that are known: what is not known counts neither for nor against the partner.
func (a Asked) score() Score {
	reasons := a.reasons()
	points, of := 0, 0
	for _, reason := range reasons {
		points += reason.Points
		of += reason.Of
	}
	total := (200*points + of) / (2 * of) // rounded
	status := "at_risk"
	if total >= 70 {
		status = "healthy"
	} else if total >= 40 {
		status = "watch"
	}
	return Score{a.Partner.ID, total, status, reasons}
}

// told says the score in words, a line at a time.
func (s Score) told(name string) []string {
	lines := []string{fmt.Sprintf("%s: %d of 100, %s.\n", name, s.Score, s.Status)}
	for _, reason := range s.Reasons {
		lines = append(lines, fmt.Sprintf("%2d of %2d: %s\n", reason.Points, reason.Of, reason.Text))
	}
	return lines
}

func daysBetween(from, to string) float64 {
	first, _ := time.Parse(day, from)
	last, _ := time.Parse(day, to)
	return last.Sub(first).Hours() / 24
}

// work tells the score a line at a time, and returns it.
func (r Request) work(say func(text string)) any {
	score := r.score()
	for _, line := range score.told(r.Partner.Name) {
		time.Sleep(seconds(r.PaceS))
		say(line)
	}
	return score
}

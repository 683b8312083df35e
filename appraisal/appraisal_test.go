package appraisal

import (
	"encoding/json"
	"testing"
)

func TestZeroValuesAreSafe(t *testing.T) {
	b, err := json.Marshal(struct {
		O Outcome
		T Tier
	}{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), `{"O":"not_checked","T":"none"}`; got != want {
		t.Errorf("zero values marshal as %s, want %s", got, want)
	}
}

func TestUnknownWordsAreRefused(t *testing.T) {
	var o Outcome
	if err := o.UnmarshalText([]byte("ok")); err == nil {
		t.Error("outcome \"ok\" was accepted")
	}
	if _, err := Outcome(9).MarshalText(); err == nil {
		t.Error("outcome 9 was marshalled")
	}
	for _, want := range []Tier{None, Contraindicated, Warned, Affirming} {
		text, err := want.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got Tier
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Errorf("tier %s: read back %s, %v", want, got, err)
		}
	}
}

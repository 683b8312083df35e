package dstack

import "testing"

// FuzzAttestation: whatever an agent sends, parsing ends without a panic and returns an error or a quote.
func FuzzAttestation(f *testing.F) {
	f.Add([]byte("\x83\xa7version\x01\xa8platform\x82\xa4kind\xa3tdx\xa4data\x82\xa5quote\x92\x01\xcc\xff\xa9event_log\x90\xa5stack\xc0"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, err := parseAttestationV1(raw)
		if err == nil && q.Raw == nil {
			t.Error("no error and no quote")
		}
	})
}

func TestAttestationV1(t *testing.T) {
	good := "\x83\xa7version\x01\xa8platform\x82\xa4kind\xa3tdx\xa4data\x82\xa5quote\x92\x01\xcc\xff\xa9event_log\x90\xa5stack\xc0"
	q, err := parseAttestationV1([]byte(good))
	if err != nil || string(q.Raw) != "\x01\xff" || string(q.EventLog) != "[]" {
		t.Fatalf("%x %s %v", q.Raw, q.EventLog, err)
	}
	for name, bad := range map[string]string{
		"empty":        "",
		"trailing":     good + "\x00",
		"truncated":    good[:len(good)-1],
		"huge array":   "\xdd\xff\xff\xff\xff",
		"huge string":  "\xdb\xff\xff\xff\xff",
		"twice":        "\x82\xa1a\x01\xa1a\x02",
		"number key":   "\x81\x01\x02",
		"deep":         "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x90",
		"version 2":    "\x82\xa7version\x02\xa8platform\x81\xa4kind\xa3tdx",
		"sev":          "\x82\xa7version\x01\xa8platform\x81\xa4kind\xa7sev-snp",
		"unknown byte": "\xc1",
	} {
		if _, err := parseAttestationV1([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

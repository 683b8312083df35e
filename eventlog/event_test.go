package eventlog

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Digests of dstack's own events, and of an application event of its verifier's fixture.
func TestDigestV1(t *testing.T) {
	for _, v := range []struct{ name, payload, want string }{
		{"system-preparing", "", "f9974020ef507068183313d0"},
		{"boot-mr-done", "", "98bd7e6bd3952720b65027fd"},
		{"system-ready", "", "1a76b2a80a0be71eae59f809"},
		{"LIUM_MINER_HOTKEY", hex.EncodeToString([]byte("5D33PtgfkGYQsMLCMrKBjVEMTESqRYDFffT6r9jBdaH3eLt4")), "64c2c025c0e916a1802e8beee830954fe5693f3fb0f2ffb077d7d3f149c5525e2c1bfb0a15046b84f4038ba6f152588f"},
	} {
		d := DigestV1(v.name, unhex(t, v.payload))
		if !strings.HasPrefix(hex.EncodeToString(d[:]), v.want) {
			t.Errorf("%s: %x, want %s…", v.name, d, v.want)
		}
	}
}

func TestDigestV2IsOverCanonicalJSON(t *testing.T) {
	if got := string(preimageV2("a\"\n\x01é", []byte{0xab})); got != `{"name":"a\"\n\u0001é","payload":"ab","type":134217729}` {
		t.Errorf("preimage %s", got)
	}
	if DigestV1("a", nil) == DigestV2("a", nil) {
		t.Error("the versions must differ")
	}
}

// kmsKey is the root of the published fixtures' KMS (SubjectPublicKeyInfo).
const kmsKey = "3059301306072a8648ce3d020106082a8648ce3d0301070342000419b2457dd9b8aa6446d980f136fff7812ecd6c77740eeb0e28b10d56c0c00028a5b6e59dcea307d583bd1f70769e9c116df2bcfb1758a95d8613e7de1c8482c0"

func fixtureEvents(t testing.TB) []Event {
	return []Event{
		NewRuntime("system-preparing", nil),
		NewRuntime("app-id", unhex(t, "5bb4ff9a3837357f19dc176407a5709c62eb6c56")),
		NewRuntime("compose-hash", unhex(t, "c143116fef3940e7f776bfc0919c256232ae5338a6e948c96b711e0b2383483a")),
		NewRuntime("instance-id", unhex(t, "1691ed1b47506cad7d08834668691d88246f5b1f")),
		NewRuntime("boot-mr-done", nil),
		NewRuntime("os-image-hash", unhex(t, "e61be43dd1cc6a6f5edefd7c51b608983780839b0000ce60dd99737dcffe09b9")),
		NewRuntime("key-provider", []byte(`{"name":"kms","id":"`+kmsKey+`"}`)),
		NewRuntime("storage-fs", []byte("zfs")),
		NewRuntime("system-ready", nil),
	}
}

// The runtime events of dstack's attestation.bin give the RTMR3 of the genuine quote beside them.
func TestReplayOfARealGuest(t *testing.T) {
	r := Replay(fixtureEvents(t))
	if got := hex.EncodeToString(r[3][:]); got != "f28a1490ee924e9396c2ccf2d93ad536b83cbe159a1d45024d1fd7acdcc102145efcfcd0cfa209416446c70226affadf" {
		t.Errorf("RTMR3 %s", got)
	}
}

// The log that the published SDKs replayed (shared/vectors/eliza.json); its digests are anything, one of them short.
func TestReplayAsThePublishedClients(t *testing.T) {
	dir := os.Getenv("TEAPOT_SHARED")
	if dir == "" {
		dir = "../../shared"
	}
	raw, err := os.ReadFile(filepath.Join(dir, "vectors", "eliza.json"))
	if err != nil {
		t.Skipf("no shared vectors: %v", err)
	}
	var v struct {
		Tappd struct {
			TdxQuote struct {
				Log string `json:"event_log"`
			}
		} `json:"fake_tappd"`
		Want []string `json:"rtmr_replay_of_event_log"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var list []struct {
		IMR    uint32 `json:"imr"`
		Digest string `json:"digest"`
	}
	if err := json.Unmarshal([]byte(v.Tappd.TdxQuote.Log), &list); err != nil {
		t.Fatal(err)
	}
	var r Registers
	for _, e := range list {
		var d [48]byte
		copy(d[:], unhex(t, e.Digest))
		r.Extend(e.IMR, d)
	}
	for i, want := range v.Want {
		if got := hex.EncodeToString(r[i][:]); got != want {
			t.Errorf("RTMR%d %s, want %s", i, got, want)
		}
	}
	if _, err := Parse([]byte(v.Tappd.TdxQuote.Log)); err == nil {
		t.Error("a log whose digests are not those of its events was accepted")
	}
}

func TestMarshalAndParse(t *testing.T) {
	events := append(fixtureEvents(t), Event{IMR: 0, Type: 4, Digest: [48]byte{1}, Version: 1},
		Event{IMR: 3, Type: RuntimeType, Name: "v2", Payload: []byte{1}, Version: 2, Digest: DigestV2("v2", []byte{1})})
	raw, err := Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if Replay(back) != Replay(events) || len(back) != len(events) || back[10].Version != 2 {
		t.Error("parse of marshal is another log")
	}
}

func TestStrippedDigestsAreComputed(t *testing.T) {
	raw := `[{"imr":3,"event_type":134217729,"digest":"","event":"system-ready","event_payload":""}]`
	events, err := Parse([]byte(raw))
	if err != nil || !events[0].Stripped || events[0].Digest != DigestV1("system-ready", nil) {
		t.Errorf("%+v, %v", events, err)
	}
}

func TestParseRefuses(t *testing.T) {
	good := `{"imr":3,"event_type":134217729,"digest":"","event":"a","event_payload":"01"}`
	for name, bad := range map[string]string{
		"not JSON":              "x",
		"object":                good,
		"trailing":              "[" + good + "] []",
		"unknown member":        "[" + strings.Replace(good, `"imr"`, `"x":1,"imr"`, 1) + "]",
		"no imr":                "[" + strings.Replace(good, `"imr":3,`, "", 1) + "]",
		"imr 4":                 "[" + strings.Replace(good, `"imr":3`, `"imr":4`, 1) + "]",
		"runtime in register 2": "[" + strings.Replace(good, `"imr":3`, `"imr":2`, 1) + "]",
		"wrong digest":          "[" + strings.Replace(good, `"digest":""`, `"digest":"`+strings.Repeat("00", 48)+`"`, 1) + "]",
		"short digest":          "[" + strings.Replace(good, `"digest":""`, `"digest":"00"`, 1) + "]",
		"odd hex":               "[" + strings.Replace(good, `"01"`, `"1"`, 1) + "]",
		"version 3":             "[" + strings.Replace(good, `"imr"`, `"version":3,"imr"`, 1) + "]",
		"preimage of another":   "[" + strings.Replace(good, `"imr"`, `"version":2,"preimage":"7b7d","imr"`, 1) + "]",
		"firmware, no digest":   `[{"imr":0,"event_type":4,"digest":"","event":"","event_payload":""}]`,
		"firmware with a name":  `[{"imr":0,"event_type":4,"digest":"` + strings.Repeat("00", 48) + `","event":"compose-hash","event_payload":""}]`,
		"too long":              "[" + strings.Repeat(" ", maxLog) + "]",
	} {
		if _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestReadSystem(t *testing.T) {
	events := append(fixtureEvents(t), NewRuntime("app-id", make([]byte, 20)), NewRuntime("mine", []byte("x")))
	s, err := ReadSystem(events)
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(s.AppID) != "5bb4ff9a3837357f19dc176407a5709c62eb6c56" || len(s.Application) != 2 {
		t.Error("an event after system-ready replaced the app id")
	}
	if s.KeyProvider.Name != "kms" || hex.EncodeToString(s.KeyProvider.ID) != kmsKey || s.StorageFS != "zfs" || !s.Ready {
		t.Errorf("%+v", s)
	}
}

func TestReadSystemRefuses(t *testing.T) {
	base := fixtureEvents(t)
	for name, change := range map[string]func([]Event) []Event{
		"never ready":    func(e []Event) []Event { return e[:8] },
		"app id twice":   func(e []Event) []Event { return append([]Event{NewRuntime("app-id", make([]byte, 20))}, e...) },
		"unknown event":  func(e []Event) []Event { return append([]Event{NewRuntime("mystery", nil)}, e...) },
		"no app id":      func(e []Event) []Event { return append(append([]Event{}, e[0]), e[2:]...) },
		"short app id":   func(e []Event) []Event { e[1] = NewRuntime("app-id", []byte{1}); return e },
		"odd provider":   func(e []Event) []Event { e[6] = NewRuntime("key-provider", []byte(`{"name":"me","id":""}`)); return e },
		"no provider":    func(e []Event) []Event { e[6] = NewRuntime("key-provider", nil); return e },
		"odd instance":   func(e []Event) []Event { e[3] = NewRuntime("instance-id", []byte{1}); return e },
		"ready, payload": func(e []Event) []Event { e[8] = NewRuntime("system-ready", []byte{1}); return e },
		"empty":          func([]Event) []Event { return nil },
	} {
		if _, err := ReadSystem(change(append([]Event(nil), base...))); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	old := []Event{NewRuntime("rootfs-hash", make([]byte, 32)), NewRuntime("app-id", make([]byte, 20)), NewRuntime("upgraded-app-id", make([]byte, 20)), NewRuntime("ca-cert-hash", make([]byte, 32)), NewRuntime("instance-id", nil)}
	if s, err := ReadSystem(old); err != nil || s.UpgradedApp == nil {
		t.Errorf("dstack 0.3.1: %v", err)
	}
}

// Values of dstack's v0.5.4 fixture.
func TestAggregated(t *testing.T) {
	var m Measures
	copy(m.MRTD[:], unhex(t, "c68518a0ebb42136c12b2275164f8c72f25fa9a34392228687ed6e9caeb9c0f1dbd895e9cf475121c029dc47e70e91fd"))
	for i, r := range []string{
		"85e0855a6384fa1c8a6ab36d0dcbfaa11a5753e5a070c08218ae5fe872fcb86967fd2449c29e22e59dc9fec998cb6547",
		"6ba8f87f35d0641e8abca07e75e3882abdc9f19d7cc8f6e3fe04435bd5f694d4e3cf008b60d7c7233896e8d1f23c34a7",
		"03b1c4afcac07d00d8e853163aff3ba3f9af68ddfbdbeafab70210a8dc601b409c28873d74fb6dbe7dc33a8da7c09621",
		"6d1a3da994b6611ee602f25f07b41671ece90cd2898689f1ad4448fdf1155e3668736cca4499659caae2d8044070de57",
	} {
		copy(m.RTMR[i][:], unhex(t, r))
	}
	if got := m.Aggregated(); hex.EncodeToString(got[:]) != "286261fff4fcaa1e418aa50a7fcbcee70549a7ec70bf22ce9d8bf2711e5a8d64" {
		t.Errorf("mr_aggregated %x", got)
	}
	short := m.Aggregated()
	m.MROwner[0] = 1
	if m.Aggregated() == short {
		t.Error("an owner must change mr_aggregated")
	}
}

func FuzzParse(f *testing.F) {
	raw, err := Marshal(fixtureEvents(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		events, err := Parse(raw)
		if err != nil {
			return
		}
		again, err := Marshal(events)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(again)
		if err != nil || Replay(back) != Replay(events) {
			t.Fatalf("a log we write reads otherwise: %v", err)
		}
		_, _ = ReadSystem(events)
	})
}

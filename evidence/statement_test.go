package evidence

import (
	"strings"
	"testing"
)

func TestReportDataBeginsWithTheTag(t *testing.T) {
	rd := ReportData([]byte("x"))
	if string(rd[:8]) != "TEAPOT\x00\x01" || rd[8] != 0 || rd[15] != 0 || !Tagged(rd[:]) {
		t.Fatalf("report data %x", rd)
	}
	if Tagged([]byte("TEAPO")) || Tagged(make([]byte, 64)) {
		t.Error("Tagged accepts what does not begin with the tag")
	}
	if !Tagged([]byte("TEAPOT\x07\x07")) {
		t.Error("later versions of the tag must be Teapot's too")
	}
}

func TestParseBootRefuses(t *testing.T) {
	raw, err := sampleBoot(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	swap := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("the sample has no %q", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	for name, bad := range map[string]string{
		"unknown member":     swap(`{"type"`, `{"more":1,"type"`),
		"nested unknown":     swap(`"quorum":1`, `"quorum":1,"x":2`),
		"duplicate member":   swap(`"number":1,`, `"number":2,"number":1,`),
		"other case":         swap(`"number":1,`, `"Number":1,`),
		"missing member":     swap(`"number":1,`, ``),
		"other order":        swap(`"number":1,"time":1764084123456`, `"time":1764084123456,"number":1`),
		"trailing bytes":     text + "\n",
		"second document":    text + text,
		"leading space":      " " + text,
		"wrong type":         swap(`"number":1,`, `"number":"1",`),
		"negative":           swap(`"number":1,`, `"number":-1,`),
		"float":              swap(`"number":1,`, `"number":1.0,`),
		"too large":          swap(`"number":1,`, `"number":9007199254740992,`),
		"null list":          swap(`"prefixes":[]`, `"prefixes":null`),
		"null string":        swap(`"name":"teapot"`, `"name":null`),
		"upper-case hex":     swap(strings.Repeat("06", 32), strings.Repeat("0A", 32)),
		"short key":          swap(strings.Repeat("06", 32), "06"),
		"odd hex":            swap(`"tls_key":"3059"`, `"tls_key":"305"`),
		"other version":      swap(BootType, "teapot/boot/v2"),
		"unknown platform":   swap(`"dstack-tdx"`, `"sev"`),
		"unknown custody":    swap(`"mrenclave"`, `"trust-me"`),
		"unknown requester":  swap(`["operator","user"]`, `["operator","zeus"]`),
		"unsorted":           swap(`["operator","user"]`, `["user","operator"]`),
		"quorum too high":    swap(`"quorum":1`, `"quorum":2`),
		"quorum zero":        swap(`"quorum":1`, `"quorum":0`),
		"amount with zero":   swap(`"per_day":"5000000"`, `"per_day":"05"`),
		"escaped letter":     swap(`"name":"teapot"`, `"name":"\u0074eapot"`),
		"invalid UTF-8":      swap(`"name":"teapot"`, "\"name\":\"\xff\""),
		"empty":              "",
		"array":              "[]",
		"html is not JSON":   "<html>",
		"hpke id twice":      swap(`{"id":2,`, `{"id":1,`),
		"agent digest twice": swap(`"agents":["`, `"agents":["`+strings.Split(strings.Split(text, `"agents":["`)[1], `"`)[0]+`","`),
	} {
		if _, err := ParseBoot([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAgentPartRefuses(t *testing.T) {
	for name, change := range map[string]func(*AgentPart){
		"upper-case uuid":   func(p *AgentPart) { p.Agent = strings.ToUpper(p.Agent) },
		"foreign origin":    func(p *AgentPart) { p.Log.Origin += "0" },
		"missing earlier":   func(p *AgentPart) { p.Earlier = nil },
		"half unknown":      func(p *AgentPart) { p.Earlier = []EarlierLog{{Unknown, "note"}} },
		"wallet twice":      func(p *AgentPart) { p.Wallets = append(p.Wallets, p.Wallets[1]) },
		"wallet unnamed":    func(p *AgentPart) { p.Wallets = []Wallet{{}} },
		"invalid UTF-8":     func(p *AgentPart) { p.Name = "\xff" },
		"size out of range": func(p *AgentPart) { p.Found.Size = 1 << 60 },
	} {
		p := samplePart()
		change(&p)
		if _, err := p.Marshal(); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}

func TestChannelLengths(t *testing.T) {
	leaf := fill(1)
	for name, c := range map[string]Channel{
		"tls without exporter": {Kind: ChannelTLS, Leaf: leaf[:]},
		"hpke without enc":     {Kind: ChannelHPKE},
		"none with leaf":       {Kind: ChannelNone, Leaf: leaf[:]},
		"none with key":        {Kind: ChannelNone, HPKEKeyID: 1},
		"zero":                 {},
	} {
		if _, err := (Session{Nonce: make([]byte, 16), Channel: c}).Marshal(); err == nil {
			t.Errorf("%s: made", name)
		}
	}
	if _, err := (Session{Nonce: make([]byte, 15), Channel: Channel{Kind: ChannelNone}}).Marshal(); err == nil {
		t.Error("a nonce of 15 bytes was accepted")
	}
}

func TestCustody(t *testing.T) {
	for _, c := range []Custody{"", "mrsigner:", "mrsigner:XY", "kms:", "kms:a,b", "kms:a,,c", "this-start "} {
		if c.check() == nil {
			t.Errorf("custody %q accepted", c)
		}
	}
	root, app, upgrade, ok := KMS("a", "b", "c").KMSParts()
	if root != "a" || app != "b" || upgrade != "c" || !ok {
		t.Errorf("KMSParts = %q %q %q %v", root, app, upgrade, ok)
	}
	if !ThisStart.OnlyTEE() || !MRENCLAVE.OnlyTEE() || Operator.OnlyTEE() || KMS("a", "b", "c").OnlyTEE() || Custody("").OnlyTEE() {
		t.Error("OnlyTEE must hold for this-start and mrenclave alone")
	}
}

func TestWeakerThan(t *testing.T) {
	for name, change := range map[string]func(*Policies){
		"more per transfer": func(p *Policies) { p.Spending[0].PerTransfer = "10000000" },
		"more per day":      func(p *Policies) { p.Spending[0].PerDay = "5000001" },
		"new asset":         func(p *Policies) { p.Spending[0].Asset = "zzz" },
		"no witnesses":      func(p *Policies) { p.Witness = Witness{} },
		"another witness":   func(p *Policies) { p.Witness.Keys = []string{"x+01+AA"} },
		"diluted witnesses": func(p *Policies) { p.Witness.Keys = []string{"w+01+AA", "x+01+AA"} },
		"agent may erase":   func(p *Policies) { p.Erasure.Requesters = []string{"agent"} },
		"more methods":      func(p *Policies) { p.GuestAPI[0].Methods = append(p.GuestAPI[0].Methods, "Sign") },
		"any key":           func(p *Policies) { p.GuestAPI[0].KeyPrefixes = []string{""} },
		"any prefix":        func(p *Policies) { p.GuestAPI[0].Prefixes = []string{"*"} },
		"ra-tls":            func(p *Policies) { p.GuestAPI[0].RATLS = true },
		"new socket":        func(p *Policies) { p.GuestAPI[0].Socket = "other" },
	} {
		before, now := sampleBoot(t).Policies, sampleBoot(t).Policies
		change(&now)
		if len(now.WeakerThan(before)) == 0 {
			t.Errorf("%s: not seen as weaker", name)
		}
	}
	before, now := sampleBoot(t).Policies, Policies{Witness: Witness{2, []string{"w+01+AA", "x+01+AA"}}}
	if why := now.WeakerThan(before); len(why) != 0 {
		t.Errorf("a stricter policy is called weaker: %q", why)
	}
	if why := before.WeakerThan(before); len(why) != 0 {
		t.Errorf("the same policy is called weaker: %q", why)
	}
}

func TestRecipientsNarrowOnly(t *testing.T) {
	open, closed := Spending{Recipients: nil, PerDay: "1", PerTransfer: "1"}, Spending{Recipients: []string{"a"}, PerDay: "1", PerTransfer: "1"}
	if len(open.weaker(closed)) == 0 {
		t.Error("anybody is weaker than one recipient")
	}
	if len(closed.weaker(open)) != 0 {
		t.Error("one recipient is stricter than anybody")
	}
}

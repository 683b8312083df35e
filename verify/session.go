package verify

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/evidence"
)

// judgeSession checks the session statement: the reader's nonce, the boot statement in force, the channel.
func (a *appraiser) judgeSession(s *evidence.Session) {
	a.freshness(s)
	a.sameStart(s)
	a.channel(s.Channel)
}

func (a *appraiser) freshness(s *evidence.Session) {
	c := appraisal.Check{
		ID: "freshness.nonce", Outcome: appraisal.Passed, Detail: "the evidence was made for this request: it carries the nonce that was just chosen here",
		Got: hex.EncodeToString(s.Nonce), Want: hex.EncodeToString(a.in.Nonce), Source: "a random nonce of this run",
	}
	if len(a.in.Nonce) == 0 || !bytes.Equal(s.Nonce, a.in.Nonce) {
		c.Outcome, c.Fault = appraisal.Failed, "host"
		c.Detail = "the evidence carries another nonce than the one sent: it was made earlier, for somebody else"
		c.Remedy = "somebody replays old evidence: do not use this connection; ask the operator whether the agent still runs in its TEE"
	}
	a.add(c)
}

func (a *appraiser) sameStart(s *evidence.Session) {
	if a.current == nil {
		return
	}
	want := a.current.evidence.ID()
	c := appraisal.Check{
		ID: "binding.session", Outcome: appraisal.Passed, Detail: "the session belongs to the boot statement judged here",
		Got: s.Boot.String(), Want: want.String(), Source: "SHA-256 of the boot statement",
	}
	if s.Boot != want {
		c.Outcome, c.Fault = appraisal.Failed, "host"
		c.Detail = "the session belongs to another boot statement than the one shown"
		c.Remedy = "the agent restarted in between, or two machines answer under this address: verify again; if it stays, do not trust it"
	}
	a.add(c)
}

// channel compares what the TEE's end of the connection saw with what the reader's end saw.
func (a *appraiser) channel(got evidence.Channel) {
	switch {
	case a.in.Channel != nil:
		a.boundChannel(got, *a.in.Channel)
	case a.in.Loopback && !a.in.Secure:
		a.mayMiss = append(a.mayMiss, "session.channel")
		a.notChecked("session.channel", "loopback: no network in between")
	case a.in.Secure:
		a.boundChannel(got, evidence.Channel{Kind: evidence.ChannelNone})
	default:
		a.add(appraisal.Check{
			ID: "session.channel", Outcome: appraisal.Failed, Detail: "plain http over a network: anybody on the way can read and change what you send",
			Got: got.Kind, Want: evidence.ChannelTLS, Source: "the rule for addresses that are not this machine", Fault: "operator",
			Remedy: "use the agent's https address, or seal messages to its HPKE key (--channel hpke)",
		})
	}
}

func (a *appraiser) boundChannel(got, want evidence.Channel) {
	c := appraisal.Check{
		ID: "session.channel", Outcome: appraisal.Passed, Detail: "your connection ends in the TEE: both ends computed the same secret",
		Got: channelText(got), Want: channelText(want), Source: "this machine's end of the connection",
	}
	if want.Kind == evidence.ChannelHPKE {
		c.Detail = "the message was opened in the TEE: it names the key you sealed to"
	}
	if !sameChannel(got, want) || want.Kind == evidence.ChannelNone {
		c.Outcome, c.Fault = appraisal.Failed, "network"
		c.Detail = "something ends your TLS before the agent: the TEE sees another connection than you do"
		if want.Kind == evidence.ChannelNone {
			c.Detail = "nothing binds the evidence to your connection: whoever ends your TLS could be in between"
		}
		c.Remedy = "a proxy, a load balancer or an attacker sits in between; send nothing secret; use the HPKE channel (--channel hpke), which passes through proxies"
	}
	a.add(c)
}

func sameChannel(a, b evidence.Channel) bool {
	return a.Kind == b.Kind && bytes.Equal(a.Exporter, b.Exporter) && bytes.Equal(a.Leaf, b.Leaf) &&
		a.HPKEKeyID == b.HPKEKeyID && bytes.Equal(a.Enc, b.Enc)
}

func channelText(c evidence.Channel) string {
	switch c.Kind {
	case evidence.ChannelTLS:
		return fmt.Sprintf("tls exporter %x leaf %x", []byte(c.Exporter), []byte(c.Leaf))
	case evidence.ChannelHPKE:
		return fmt.Sprintf("hpke key %d enc %x", c.HPKEKeyID, []byte(c.Enc))
	}
	return c.Kind
}

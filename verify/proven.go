package verify

import (
	"strings"
)

// notProven says in one short paragraph what a green result does not prove.
func (a *appraiser) notProven() string {
	text := []string{"Hardware that was opened up or whose keys leaked, and bugs in the measured code, are beyond any of this."}
	if a.simulated {
		text = append([]string{"Anything about hardware: a simulator's keys lie on somebody's disk."}, text...)
	}
	if a.in.Kind != KindReceipt && a.in.Kind != KindQuote {
		text = append(text, "That the agent did nothing outside its log follows only from the measured code; the log cannot show it. Times are the host's word; order is proven.")
	}
	if a.in.Kind == KindReceipt {
		text = append(text, "A receipt proves that these entries are recorded, never that a message was delivered.")
	}
	if a.in.Kind == KindPeer {
		text = append(text, "Nothing of the peer's log was looked at.")
	}
	if a.in.Kind != KindURL && a.in.Kind != KindPeer {
		text = append(text, "A file says nothing about what runs now.")
	}
	return strings.Join(append(text, a.aboutStart()...), " ")
}

// aboutStart adds what follows from the boot statement.
func (a *appraiser) aboutStart() (text []string) {
	if a.current == nil || a.current.boot == nil {
		return nil
	}
	b := a.current.boot
	if b.Policies.Witness.Quorum == 0 && a.policy.Witnesses.Quorum == 0 {
		text = append(text, "Without witnesses, clones of the machine and rollbacks before the first look are not excluded.")
	}
	if b.Platform == "tdx" {
		text = append(text, "On this platform root inside the guest is trusted: it could take the agent's keys.")
	}
	for _, g := range b.Policies.GuestAPI {
		if g.RATLS || len(g.Methods) > 0 {
			text = append(text, "Other processes in the guest may ask for quotes, so legacy and RA-TLS evidence can be made by them; Teapot's own statements cannot.")
			break
		}
	}
	return text
}

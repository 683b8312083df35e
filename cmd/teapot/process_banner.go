package main

import (
	"fmt"
	"io"
	"net"
)

// banner says loudly what this is.
func (r *running) banner(w io.Writer, addr net.Addr) {
	scheme := "http"
	if r.tls != nil {
		scheme = "https"
	}
	allow := ""
	if r.finding.Simulated {
		allow = " --allow-simulated"
		fmt.Fprint(w, simulatedTEE)
	}
	fmt.Fprintf(w, "platform   %s: %s\n", r.finding.Platform, r.finding.Why)
	for _, warning := range r.finding.Warnings {
		fmt.Fprintf(w, "warning    %s\n", warning)
	}
	fmt.Fprintf(w, "data       %s\n", r.flags.data)
	r.bannerAgents(w)
	url := fmt.Sprintf("%s://%s", scheme, addr)
	fmt.Fprintf(w, "serving    %s\n", url)
	r.bannerSocket(w)
	fmt.Fprintf(w, "pages      %s/agent, /explorer, /chat, /dashboard\n", url)
	for _, line := range r.guestLines {
		fmt.Fprintf(w, "guest API  %s\n", line)
	}
	fmt.Fprintf(w, "token      %s (needed to change anything)\n", r.tokenFrom)
	fmt.Fprintf(w, "check it   teapot verify %s://%s%s\n", scheme, loopback(addr.String()), allow)
}

func (r *running) bannerAgents(w io.Writer) {
	for _, a := range r.process.Agents() {
		fmt.Fprintf(w, "agent      %s  %s\n", a.Name, a.ID)
		for _, wallet := range a.Wallets() {
			fmt.Fprintf(w, "wallet     %s %s (%s)\n", wallet.Chain, wallet.Address, wallet.Derivation)
			for _, weak := range wallet.Warnings {
				fmt.Fprintf(w, "           WEAK: %s\n", weak)
			}
		}
	}
}

// bannerSocket says for whom the unix socket is.
func (r *running) bannerSocket(w io.Writer) {
	switch {
	case r.local == nil:
	case r.flags.unixMode != 0:
		fmt.Fprintf(w, "serving    %s (for the agent beside: it logs, and has texts signed, without the token)\n", r.flags.unix)
	default:
		fmt.Fprintf(w, "serving    %s (for the operator: its peers need no token)\n", r.flags.unix)
	}
}

const simulatedTEE = `
  ######################################################
  #  SIMULATED TEE: nothing here proves anything about #
  #  hardware. Quotes verify under a development root. #
  ######################################################

`

// oneStart is said before anything is written: later it would be too late for an operator key.
const oneStart = `
  ######################################################
  #  KEYS OF ONE START: once this process has ended,   #
  #  nobody can open its log, memories and wallets.    #
  #  TEAPOT_OPERATOR_KEY_FILE at the FIRST start keeps #
  #  them; whoever has that file then has the keys.    #
  ######################################################

`

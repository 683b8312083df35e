package main

import (
	"encoding/hex"
	"net/http"
	"net/url"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

// servePCS serves the simulator's collateral as Intel's service and PCCSs do (PCS API v4), for verifiers that only know those.
func servePCS(mux *http.ServeMux, simulator *sim.Simulator) {
	for name, tee := range simulatedTEEs() {
		base := "GET /" + name + "/certification/v4/"
		serve := func(path string, write func(http.ResponseWriter, *dcap.Collateral)) {
			mux.HandleFunc(base+path, func(w http.ResponseWriter, _ *http.Request) {
				raw, err := simulator.CollateralFor(tee)
				if err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
					return
				}
				c, err := dcap.ParseCollateral(raw)
				if err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
					return
				}
				write(w, c)
			})
		}
		serve("tcb", func(w http.ResponseWriter, c *dcap.Collateral) {
			writeSigned(w, "TCB-Info-Issuer-Chain", c.TCBInfoIssuerChain, "tcbInfo", c.TCBInfo, c.TCBInfoSignature)
		})
		serve("qe/identity", func(w http.ResponseWriter, c *dcap.Collateral) {
			writeSigned(w, "SGX-Enclave-Identity-Issuer-Chain", c.QEIdentityIssuerChain, "enclaveIdentity", c.QEIdentity, c.QEIdentitySignature)
		})
		if tee != pki.SGX {
			continue
		}
		serve("pckcrl", func(w http.ResponseWriter, c *dcap.Collateral) {
			w.Header().Set("SGX-PCK-CRL-Issuer-Chain", escapeChain(c.PCKCRLIssuerChain))
			writeHex(w, c.PCKCRL)
		})
		serve("rootcacrl", func(w http.ResponseWriter, c *dcap.Collateral) { writeHex(w, c.RootCACRL) })
	}
}

// writeSigned answers with a signed document, its exact bytes, and the signer's chain in a header.
func writeSigned(w http.ResponseWriter, header, chain, member, document, signature string) {
	w.Header().Set(header, escapeChain(chain))
	writeSized(w, "application/json", []byte(`{"`+member+`":`+document+`,"signature":"`+signature+`"}`))
}

// escapeChain percent-encodes a PEM chain as PCS does in headers.
func escapeChain(chain string) string { return url.PathEscape(chain) }

// writeHex answers with the DER that the text holds in hex.
func writeHex(w http.ResponseWriter, text string) {
	der, err := hex.DecodeString(text)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeSized(w, "application/pkix-crl", der)
}

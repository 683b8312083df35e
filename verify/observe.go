package verify

import (
	"encoding/hex"
	"slices"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/evidence"
)

// Observation is what an evidence document says runs now, in the words of a policy. Nothing in it is verified: it is a
// draft that a person checks against what they know from elsewhere.
type Observation struct {
	Platform   string
	Code       Code
	Agents     []Agent
	Custody    []string // values beyond this-start and mrenclave, that a policy would have to accept
	KMSRoot    string   // compressed secp256k1 root that signed the derived keys, hex; "" if none did
	Witnesses  Witnesses
	AppCompose []byte
	Unmeasured []evidence.Unmeasured
}

// Observe reads the newest boot evidence of a server.
func Observe(document []byte) (Observation, error) {
	ev, err := evidence.ParseEvidence(document)
	if err != nil {
		return Observation{}, err
	}
	boot, err := evidence.ParseBoot(ev.Statement)
	if err != nil {
		return Observation{}, err
	}
	parts, err := ev.MatchParts(boot)
	if err != nil {
		return Observation{}, err
	}
	quote, err := dcap.Parse(ev.Quote)
	if err != nil {
		return Observation{}, err
	}
	o := Observation{
		Platform: boot.Platform, Code: observeCode(quote), AppCompose: ev.AppCompose, Unmeasured: boot.Unmeasured,
		Witnesses: Witnesses{Quorum: int(boot.Policies.Witness.Quorum), Keys: boot.Policies.Witness.Keys},
	}
	if len(ev.AppCompose) > 0 {
		sum := eventlog.ComposeHash(ev.AppCompose)
		o.Code.AppCompose = []string{hex.EncodeToString(sum[:])}
	}
	o.Code.Configuration, o.Code.Plugins = []string{boot.Configuration.String()}, []string{boot.Plugins.String()}
	o.observeAgents(parts)
	o.observeCustody(boot.Custody)
	keys, _ := followChains(&start{evidence: ev, parts: parts, judged: judged{report: &dcap.Report{Quote: quote}}}) // a broken chain is for the verdict to report
	o.KMSRoot = keys.root
	return o, nil
}

func observeCode(q *dcap.Quote) Code {
	c := Code{Name: "what ran when this file was written"}
	if q.Enclave != nil {
		prod := q.Enclave.ProdID
		c.MREnclave, c.MRSigner = hexes(q.Enclave.MREnclave[:]), hexes(q.Enclave.MRSigner[:])
		c.ISVProdID, c.MinISVSVN = &prod, q.Enclave.SVN
		return c
	}
	td := q.TD
	c.MRTD, c.RTMR0, c.RTMR1, c.RTMR2 = hexes(td.MRTD[:]), hexes(td.RTMR[0][:]), hexes(td.RTMR[1][:]), hexes(td.RTMR[2][:])
	return c
}

func hexes(b []byte) []string { return []string{hex.EncodeToString(b)} }

func (o *Observation) observeAgents(parts []*evidence.AgentPart) {
	for _, p := range parts {
		a := Agent{ID: p.Agent, Name: p.Name, Origin: p.Log.Origin, LogKey: p.Log.Key.String(), Character: []string{p.Character.String()}}
		for _, w := range p.Wallets {
			a.Wallets = append(a.Wallets, w.Address)
		}
		o.Agents = append(o.Agents, a)
	}
}

func (o *Observation) observeCustody(c evidence.KeyCustody) {
	for _, v := range []evidence.Custody{c.Log, c.Wallet, c.Storage} {
		if !v.OnlyTEE() && !slices.Contains(o.Custody, string(v)) {
			o.Custody = append(o.Custody, string(v))
		}
	}
}

package main

import (
	"encoding/hex"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/dcap"
)

// verdictJSON is the answer of "quote verify --json" (docs/formats/dcap-report.md).
type verdictJSON struct {
	Status     string            `json:"status"`
	Accepted   bool              `json:"accepted"`
	Simulated  bool              `json:"simulated"`
	Class      dcap.Class        `json:"class,omitempty"`
	Advisories []string          `json:"advisories"`
	Checks     []appraisal.Check `json:"checks"`

	Root       string `json:"root"` // "intel", "named", "chain"
	RootSHA256 string `json:"root_sha256"`
	JudgedAt   string `json:"judged_at"`

	TEE          string           `json:"tee,omitempty"`
	QuoteVersion uint16           `json:"quote_version,omitempty"`
	Platform     *platformJSON    `json:"platform,omitempty"`
	Launch       *dcap.Evaluation `json:"launch,omitempty"`
	Current      *dcap.Evaluation `json:"current,omitempty"`
	Collateral   collateralJSON   `json:"collateral"`
}

type platformJSON struct {
	FMSPC      string `json:"fmspc"`
	PCEID      string `json:"pce_id"`
	PPID       string `json:"ppid"`
	Components string `json:"components"`
	CPUSVN     string `json:"cpu_svn"`
	PCESVN     uint16 `json:"pce_svn"`
	SGXType    uint8  `json:"sgx_type"`
	InstanceID string `json:"instance_id,omitempty"`
	Dynamic    *bool  `json:"dynamic_platform,omitempty"`
	CachedKeys *bool  `json:"cached_keys,omitempty"`
	SMT        *bool  `json:"smt,omitempty"`
}

type collateralJSON struct {
	TCBInfoNumber      uint64 `json:"tcb_info_evaluation_number"`
	QEIdentityNumber   uint64 `json:"qe_identity_evaluation_number"`
	RootCRLNumber      string `json:"root_crl_number,omitempty"`
	PCKCRLNumber       string `json:"pck_crl_number,omitempty"`
	TCBDate            string `json:"tcb_date,omitempty"`
	EarliestIssue      string `json:"earliest_issue,omitempty"`
	LatestIssue        string `json:"latest_issue,omitempty"`
	EarliestExpiration string `json:"earliest_expiration,omitempty"`
	RootKeySHA384      string `json:"root_key_sha384"`
}

func (j *judged) json() verdictJSON {
	r := j.report
	out := verdictJSON{
		Status: j.status(), Accepted: r.Accepted, Simulated: r.Simulated, Class: r.Class, Advisories: r.Advisories, Checks: r.Checks,
		Root: j.root, RootSHA256: hex.EncodeToString(r.RootSHA256[:]), JudgedAt: j.at.UTC().Format(time.RFC3339),
		Launch: r.Launch, Current: r.Current, Platform: platformOf(r.PCK),
		Collateral: collateralJSON{
			TCBInfoNumber: r.TCBInfoNumber, QEIdentityNumber: r.QEIdentityNumber,
			RootCRLNumber: hex.EncodeToString(r.RootCRLNumber), PCKCRLNumber: hex.EncodeToString(r.PCKCRLNumber),
			TCBDate: stamp(r.TCBDate), EarliestIssue: stamp(r.EarliestIssue), LatestIssue: stamp(r.LatestIssue),
			EarliestExpiration: stamp(r.EarliestExpiration), RootKeySHA384: hex.EncodeToString(r.RootKeySHA384[:]),
		},
	}
	if r.Status == dcap.StatusNone || out.Advisories == nil {
		out.Advisories = []string{}
	}
	if r.Quote != nil {
		out.TEE, out.QuoteVersion = r.Quote.Header.TEE.String(), r.Quote.Header.Version
	}
	return out
}

func platformOf(p *dcap.PCK) *platformJSON {
	if p == nil {
		return nil
	}
	out := &platformJSON{
		FMSPC: hex.EncodeToString(p.FMSPC[:]), PCEID: hex.EncodeToString(p.PCEID[:]), PPID: hex.EncodeToString(p.PPID[:]),
		Components: hex.EncodeToString(p.Components[:]), CPUSVN: hex.EncodeToString(p.CPUSVN[:]), PCESVN: p.PCESVN, SGXType: p.SGXType,
	}
	if p.HasConfiguration {
		out.InstanceID = hex.EncodeToString(p.InstanceID[:])
		out.Dynamic, out.CachedKeys, out.SMT = &p.DynamicPlatform, &p.CachedKeys, &p.SMT
	}
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

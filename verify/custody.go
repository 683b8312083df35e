package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/evidence"
)

// custody says who else could derive the keys. Only this start, this code on this CPU (MRENCLAVE) and a KMS that the
// policy pins keep "the keys exist only in the TEE" true.
func (a *appraiser) custody(c evidence.KeyCustody) {
	a.custodyOf("custody.keys", "log and wallet keys", c.Log, c.Wallet)
	a.custodyOf("custody.storage", "the key of the stored data", c.Storage)
}

func (a *appraiser) custodyOf(id, what string, values ...evidence.Custody) {
	var bad []string
	for _, v := range values {
		if !v.OnlyTEE() && !slices.Contains(a.policy.Custody.Accept, string(v)) && !slices.Contains(bad, custodyText(v)) {
			bad = append(bad, custodyText(v))
		}
	}
	got := make([]string, len(values))
	for i, v := range values {
		got[i] = string(v)
	}
	check := appraisal.Check{
		ID: id, Outcome: appraisal.Passed, Detail: fmt.Sprintf("%s exist only in the TEE (or where your policy accepts it)", what),
		Got: strings.Join(got, ", "), Want: strings.Join(append([]string{"this-start", "mrenclave"}, a.policy.Custody.Accept...), ", "),
		Source: "the boot statement, against your policy's custody.accept",
	}
	if len(bad) > 0 {
		check.Outcome, check.Fault = appraisal.Failed, "operator"
		check.Detail = fmt.Sprintf("%s can also be had outside this TEE: %s", what, strings.Join(bad, "; "))
		check.Remedy = "treat signatures and wallets as shared with whoever that is; if you trust them, put the value into your policy: custody.accept"
	}
	a.add(check)
}

func custodyText(c evidence.Custody) string {
	if root, app, upgrade, ok := c.KMSParts(); ok {
		return fmt.Sprintf("a key management service (root %s, app %s) gives them to any code that %s may install", root, app, upgrade)
	}
	if signer, ok := strings.CutPrefix(string(c), "mrsigner:"); ok {
		return "any enclave signed by " + signer + " on this CPU gets them"
	}
	switch c {
	case evidence.LocalProvider:
		return "a key provider on the same machine derives them"
	case evidence.Operator:
		return "the operator of the machine can derive them"
	case evidence.PublicSeed:
		return "everybody can derive them: their seed is public"
	}
	return fmt.Sprintf("custody %q is unknown to this version", string(c))
}

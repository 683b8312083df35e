package pcs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/teapot-tee/teapot/dcap"
)

// Updates that a caller may ask for: new TCB levels at once, or when the ecosystem had time to follow.
const (
	UpdateEarly    = "early"
	UpdateStandard = "standard"
)

// checkEvaluation refuses what the service would refuse, before asking.
func (c *Client) checkEvaluation() error {
	switch {
	case c.Update != "" && c.Update != UpdateEarly && c.Update != UpdateStandard:
		return fmt.Errorf("pcs: update %q: want %s or %s", c.Update, UpdateEarly, UpdateStandard)
	case c.Update != "" && c.Number != 0:
		return errors.New("pcs: ask for an update or for an evaluation data number, not for both")
	}
	return nil
}

// evaluation adds to a query which TCB levels are wanted.
func (c *Client) evaluation(query url.Values) url.Values {
	switch {
	case c.Number != 0:
		query.Set("tcbEvaluationDataNumber", strconv.FormatUint(c.Number, 10))
	case c.Update != "":
		query.Set("update", c.Update)
	}
	return query
}

// wanted names that choice in the cache, so that what was fetched for one is not taken for another.
func (c *Client) wanted() string {
	switch {
	case c.Number != 0:
		return "-" + strconv.FormatUint(c.Number, 10)
	case c.Update != "":
		return "-" + c.Update
	}
	return ""
}

// isWanted says whether documents are of the number asked for.
func (c *Client) isWanted(i *dcap.CollateralInfo) error {
	if c.Number != 0 && (i.TCBInfoNumber != c.Number || i.QEIdentityNumber != c.Number) {
		return fmt.Errorf("pcs: asked for evaluation data number %d, the server sent %d (TCB info) and %d (QE identity)", c.Number, i.TCBInfoNumber, i.QEIdentityNumber)
	}
	return nil
}

// EvaluationNumbers asks which TCB evaluation data numbers the service still serves; the answer is verified.
func (c *Client) EvaluationNumbers(ctx context.Context, tee dcap.TEE) (*dcap.EvaluationNumbers, error) {
	address := c.url(strings.ToLower(tee.String()), "tcbevaluationdatanumbers", nil)
	document, signature, chain, err := c.signed(ctx, address, "tcbEvaluationDataNumbers", "TCB-Evaluation-Data-Numbers-Issuer-Chain")
	if err != nil {
		return nil, err
	}
	list, err := c.verifier.EvaluationNumbers(document, signature, chain, c.Root)
	switch {
	case err != nil:
		return nil, err
	case list.TEE != tee:
		return nil, fmt.Errorf("pcs: asked for the numbers of %s, the server sent those of %s", tee, list.TEE)
	case list.NextUpdate.Before(c.now()) || list.Issued.After(c.now()):
		return nil, errors.New("pcs: the server sent a list of evaluation data numbers that is not valid now")
	}
	return list, nil
}

// RetiredError says that the service no longer serves an evaluation data number (410 Gone), and which ones it does.
type RetiredError struct {
	Number uint64
	Served []dcap.EvaluationNumber // verified; nil if the service does not say
	Err    error
}

func (e *RetiredError) Error() string {
	text := fmt.Sprintf("pcs: TCB evaluation data number %d is retired", e.Number)
	if len(e.Served) == 0 {
		return text
	}
	var numbers []string
	for _, n := range e.Served {
		numbers = append(numbers, fmt.Sprintf("%d of %s", n.Number, n.Recovery.Format("2006-01-02")))
	}
	return text + "; the service serves " + strings.Join(numbers, ", ")
}

// Unwrap returns the service's answer.
func (e *RetiredError) Unwrap() error { return e.Err }

// retired explains 410 Gone.
func (c *Client) retired(ctx context.Context, tee dcap.TEE, err error) error {
	var status *StatusError
	if c.Number == 0 || !errors.As(err, &status) || status.Status != http.StatusGone {
		return err
	}
	out := &RetiredError{Number: c.Number, Err: err}
	if list, err := c.EvaluationNumbers(ctx, tee); err == nil { // else the first error is news enough
		out.Served = list.Numbers
	}
	return out
}

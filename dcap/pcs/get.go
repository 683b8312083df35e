package pcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of one request.
const (
	maxBody    = 4 << 20
	attempts   = 4
	maxWait    = 30 * time.Second
	perRequest = 20 * time.Second
)

// answer is a successful response.
type answer struct {
	header http.Header
	body   []byte
}

// StatusError is an answer other than 200.
type StatusError struct {
	URL    string
	Status int
	ID     string // Intel's Request-ID
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("pcs: %s answered %d (%s)", redacted(e.URL), e.Status, meaning(e.Status))
	if e.ID != "" {
		text += ", request " + e.ID
	}
	return text
}

// redacted hides a password in an address: errors reach logs.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the service"
	}
	return u.Redacted()
}

// meaning explains a status in the words of PCS and PCCS documentation.
func meaning(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "the service refuses the parameters"
	case http.StatusUnauthorized:
		return "the service wants a subscription key"
	case http.StatusNotFound:
		return "the service does not know this platform"
	case http.StatusGone:
		return "this TCB evaluation data number is retired: ask for a newer one"
	case http.StatusTooManyRequests:
		return "too many requests: try later"
	case 461:
		return "the PCCS does not know this platform: register it"
	case 462:
		return "the PCCS has no certificate for this platform"
	case http.StatusServiceUnavailable:
		return "the service is unavailable: try later"
	}
	return strings.ToLower(http.StatusText(status))
}

// get fetches an address, trying again where the server or the network says that it may help.
func (c *Client) get(ctx context.Context, address string) (*answer, error) {
	for attempt := 1; ; attempt++ {
		a, wait, err := c.once(ctx, address)
		var answered *StatusError
		if err == nil || wait < 0 || attempt == attempts || ctx.Err() != nil || attempt == 2 && !errors.As(err, &answered) {
			return a, err
		}
		if wait == 0 {
			wait = 500 * time.Millisecond << attempt
		}
		if wait > maxWait {
			return nil, fmt.Errorf("%w; the server asks to wait %s", err, wait)
		}
		if errSleep := c.sleep(ctx, wait); errSleep != nil {
			return nil, errors.Join(err, errSleep)
		}
	}
}

// once does one request. wait < 0 means that trying again cannot help, 0 that the server names no time.
func (c *Client) once(ctx context.Context, address string) (a *answer, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, perRequest)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if bad, ok := errors.AsType[*url.Error](err); ok {
		err = bad.Err // without the address, which nothing redacts there
	}
	if err != nil {
		return nil, -1, fmt.Errorf("pcs: the service's address: %w", err)
	}
	if c.Key != "" && c.base() == IntelPCS {
		request.Header.Set("Ocp-Apim-Subscription-Key", c.Key)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("pcs: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case response.StatusCode != http.StatusOK:
		err = &StatusError{address, response.StatusCode, response.Header.Get("Request-ID")}
		return nil, c.retryAfter(response), err
	case err != nil:
		return nil, 0, fmt.Errorf("pcs: reading the answer of %s: %w", redacted(address), err)
	case len(body) > maxBody:
		return nil, -1, fmt.Errorf("pcs: the answer of %s is larger than %d bytes", redacted(address), maxBody)
	}
	return &answer{response.Header, body}, 0, nil
}

// retryAfter reads Retry-After in seconds or as a date.
func (c *Client) retryAfter(r *http.Response) time.Duration {
	switch r.StatusCode {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return -1
	}
	text := r.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(c.now()), 0)
	}
	return 0
}

func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	if c.Sleep != nil {
		return c.Sleep(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// chain decodes an issuer chain from the first of the headers that is there. PathUnescape, not QueryUnescape: some
// servers send the + of base64 as it is.
func (a *answer) chain(headers ...string) (string, error) {
	for _, h := range headers {
		if text := a.header.Get(h); text != "" {
			chain, err := url.PathUnescape(text)
			if err != nil {
				return "", fmt.Errorf("pcs: header %s: %w", h, err)
			}
			return chain, nil
		}
	}
	return "", fmt.Errorf("pcs: the answer lacks the header %s", headers[0])
}

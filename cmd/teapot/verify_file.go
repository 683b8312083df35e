package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/verify"
)

// targets is what a reader is told who named something else.
const targets = "TARGET is an address, or a bundle, receipt, evidence, fork or quote file"

// maxFile bounds a document that is read whole; bundles are streamed.
const maxFile = 64 << 20

func (v *verifier) file(ctx context.Context, path string) (verify.Result, error) {
	f, err := os.Open(path)
	if err != nil {
		return verify.Result{}, &exitError{code: 2, err: err, hint: notAFile(path)}
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return verify.Result{}, &exitError{code: 2, err: fmt.Errorf("%s is a directory", path), hint: "name a bundle, receipt, evidence, fork or quote file"}
	}
	head := make([]byte, verify.HeadSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return verify.Result{}, err
	}
	kind, err := verify.Recognise(head[:n])
	if err != nil {
		return verify.Result{}, &exitError{code: 2, err: fmt.Errorf("%s cannot be judged: %w", path, err), hint: "bundles come from `teapot bundle URL -o FILE`"}
	}
	in := verify.Input{Target: path, Kind: kind}
	whole := io.MultiReader(bytes.NewReader(head[:n]), f)
	if kind == verify.KindBundle {
		in.Log = whole
		if in.Seen, err = v.seenInBundle(path); err != nil {
			return verify.Result{}, err
		}
		return v.appraise(ctx, in)
	}
	if in.File, err = readDocument(path, whole); err != nil {
		return verify.Result{}, err
	}
	if kind == verify.KindQuote {
		if in.Kind, in.File, err = judgeableIn(in.File); err != nil {
			return verify.Result{}, &exitError{code: 2, err: fmt.Errorf("%s cannot be judged: %w", path, err), hint: targets}
		}
	}
	if in.Seen, err = v.seenInReceipt(in); err != nil {
		return verify.Result{}, err
	}
	return v.appraise(ctx, in)
}

// readDocument reads what is no bundle whole.
func readDocument(path string, r io.Reader) ([]byte, error) {
	document, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(document) > maxFile {
		return nil, &exitError{code: 2, err: fmt.Errorf("%s is larger than %d bytes and no bundle", path, maxFile), hint: targets}
	}
	return document, nil
}

// notAFile says what TARGET may be; an address without its scheme is told from a file that is not there.
func notAFile(target string) string {
	host, rest, _ := strings.Cut(target, "/")
	name, port, err := net.SplitHostPort(host)
	if _, number := strconv.ParseUint(port, 10, 16); err != nil || number != nil || name == "" {
		return "TARGET is an address (http://…, https://…) or a file"
	}
	scheme := "https"
	if ip := net.ParseIP(name); name == "localhost" || ip.IsLoopback() {
		scheme = "http"
	}
	return fmt.Sprintf("if you mean the address, say %s://%s", scheme, strings.TrimSuffix(host+"/"+rest, "/"))
}

// seenInBundle reads the bundle's head for its origin, to find what was seen of that log.
func (v *verifier) seenInBundle(path string) ([]verify.Seen, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := bundle.NewReader(f)
	if err != nil {
		return nil, nil //nolint:nilerr // Appraise says what is wrong with it
	}
	return v.seenOf(r.Header.Origin)
}

func (v *verifier) seenInReceipt(in verify.Input) ([]verify.Seen, error) {
	if in.Kind != verify.KindReceipt {
		return nil, nil
	}
	return v.seenOf(verify.ReceiptOrigin(in.File))
}

func (v *verifier) seenOf(origin string) ([]verify.Seen, error) {
	s, err := v.memory.Of(origin)
	if s == nil || err != nil {
		return nil, err
	}
	return []verify.Seen{*s}, nil
}

// judgeableIn finds what can be judged in a file that is nothing of Teapot's by itself: the receipt in an agent's answer, else a quote,
// bare or in text around it. Any long base64 could be a quote, so in text it must begin like one, be all there is, or be called so.
func judgeableIn(file []byte) (verify.Kind, []byte, error) {
	receipt, err := receiptIn(file)
	if receipt != nil || err != nil {
		return verify.KindReceipt, receipt, err
	}
	quote, err := extractQuote(file)
	if err == nil && !isBinary(file) && !likeQuote(quote) && !bare(file) && !calledQuote(file) {
		err = errNothing
		if bytes.Contains(file, []byte("\n\n\u2014 ")) {
			err = errNote
		}
	}
	return verify.KindQuote, quote, err
}

var (
	errNothing = errors.New("nothing in it can be judged: it holds neither a receipt nor what begins like a quote")
	errNote    = errors.New("it is a signed checkpoint, which names a log and proves nothing by itself: judge the agent's address or bundle")
)

// bare says whether a text is one string of hex or base64 and nothing else.
func bare(file []byte) bool {
	return decodeCandidate(strings.TrimPrefix(string(bytes.Join(bytes.Fields(file), nil)), "0x")) != nil
}

// calledQuote says whether a JSON object has a member "quote".
func calledQuote(file []byte) bool {
	var object struct{ Quote json.RawMessage }
	return json.Unmarshal(file, &object) == nil && len(object.Quote) > 0
}

// receiptIn finds the receipt in an answer of an agent (POST /AGENT/message): an array of replies, or one of them.
func receiptIn(file []byte) ([]byte, error) {
	type reply struct{ Receipt json.RawMessage }
	var replies []reply
	if json.Unmarshal(file, &replies) != nil {
		var one reply
		if json.Unmarshal(file, &one) != nil {
			return nil, nil
		}
		replies = []reply{one}
	}
	var found []byte
	for _, r := range replies {
		kind, err := verify.Recognise(r.Receipt)
		switch {
		case err != nil || kind != verify.KindReceipt || bytes.Equal(found, r.Receipt):
		case found != nil:
			return nil, errors.New("it holds several receipts: save the one you mean")
		default:
			found = r.Receipt
		}
	}
	return found, nil
}

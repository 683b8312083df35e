package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/verify"
)

// remember keeps what the verdict allows to remember, and tells of evidence of forks.
func (v *verifier) remember(r verify.Result) error {
	if v.flags.at != "" {
		r.Remember = nil // what was good as of some other day is no ground to stand on today
	}
	forks, err := v.memory.RememberAll(r)
	for _, path := range forks {
		v.progress.say("evidence of the fork: %s (anybody can check it: teapot verify FILE)", path)
	}
	return err
}

// print writes the result, remembers what may be remembered, and turns the verdict into the exit code.
func (v *verifier) print(r verify.Result) error {
	err := v.remember(r)
	if err != nil {
		return err
	}
	if v.flags.asJSON {
		enc := json.NewEncoder(v.out)
		enc.SetIndent("", "  ")
		err = enc.Encode(r)
	} else {
		err = r.WriteText(v.out)
	}
	if err != nil || r.Exit == 0 {
		return err
	}
	return &exitError{code: r.Exit}
}

// unjudged reports that there is no verdict; with --json as a result of tier none, so that a program reads one shape.
func (v *verifier) unjudged(target string, err error) error {
	exit := &exitError{code: 2, err: err}
	if !errors.As(err, &exit) {
		exit.hint = nextStep(err)
	}
	if v.flags.asJSON && exit.code == 2 {
		r := verify.Unjudged(target, err, time.Now())
		if err := json.NewEncoder(v.out).Encode(r); err != nil {
			return err
		}
	}
	return exit
}

// nextStep says what to do when there is no verdict.
func nextStep(err error) string {
	var typed *client.Error
	var cut *bundle.TruncatedError
	switch {
	case errors.As(err, &typed):
		return typed.Hint()
	case errors.As(err, &cut):
		return "fetch it again (teapot bundle URL -o FILE); if it breaks off again, something in between cuts it"
	}
	return "fetch it again; if it stays, whoever made it made it wrong, or with a newer version"
}

// watch verifies again and again, and prints the whole result whenever the verdict changes.
func (v *verifier) watch(ctx context.Context, target string) error {
	if v.flags.watch < time.Second {
		return &exitError{code: 64, err: errors.New("--watch: want at least 1s")}
	}
	last, code := "", 0
	for {
		r, err := v.once(ctx, target)
		if ctx.Err() != nil {
			return &exitError{code: code}
		}
		if err != nil {
			r = verify.Unjudged(target, err, time.Now())
		}
		key := r.Headline + fmt.Sprint(r.Exit)
		if err := v.tell(r, key != last); err != nil {
			return err
		}
		last, code = key, r.Exit
		select {
		case <-ctx.Done():
			return &exitError{code: code}
		case <-time.After(v.flags.watch):
		}
	}
}

// tell prints a result that is new, and says of one that is not that it stays.
func (v *verifier) tell(r verify.Result, changed bool) error {
	if changed {
		var exit *exitError
		if err := v.print(r); err != nil && !errors.As(err, &exit) {
			return err
		}
		return nil
	}
	if err := v.remember(r); err != nil { // each look: what grew in between must not be taken back unnoticed
		return err
	}
	v.progress.say("%s unchanged: %s", time.Now().Format(time.TimeOnly), verify.Clean(r.Headline))
	return nil
}

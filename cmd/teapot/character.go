package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/agent/character"
)

func newCharacterCmd() *cobra.Command {
	return newGroup(&cobra.Command{
		Use:   "character",
		Short: "Check and show Eliza character files",
	}, newCharacterCheckCmd(), newCharacterShowCmd())
}

func newCharacterCheckCmd() *cobra.Command {
	var asJSON, lenient bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Check a character against Eliza's schema; exit 1 if it does not have its form",
		Long: "Check a character file against Eliza 0.1.9's schema and print every problem with its JSON path and what\n" +
			"was expected. With --lenient the common mistakes are repaired first, as \"teapot run\" does, and listed.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			c, err := loadCharacter(given[0], !lenient)
			return reportCharacter(cmd.OutOrStdout(), given[0], c, err, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&lenient, "lenient", false, "repair the common mistakes and say which")
	return cmd
}

func newCharacterShowCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show [FILE]",
		Short: "Print the exact character bytes that a boot statement commits to, without secrets; no FILE: the built-in one",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			c := character.Default(nil)
			if len(given) == 1 {
				var err error
				if c, err = loadCharacter(given[0], false); err != nil {
					return characterError(err)
				}
			}
			_, err := cmd.OutOrStdout().Write(c.Public())
			return err
		},
	}
}

func loadCharacter(path string, strict bool) (*character.Character, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	env, err := character.Environment(cwd, os.Environ())
	if err != nil {
		return nil, err
	}
	return character.Load(path, character.Options{Strict: strict, Cwd: cwd, Env: env})
}

type characterReport struct {
	OK       bool                `json:"ok"`
	Path     string              `json:"path"`
	ID       string              `json:"id,omitempty"`
	Name     string              `json:"name,omitempty"`
	Digest   string              `json:"sha256,omitempty"`
	Problems []character.Problem `json:"problems"`
	Repairs  []string            `json:"repairs"`
}

func reportCharacter(w io.Writer, path string, c *character.Character, err error, asJSON bool) error {
	r := characterReport{Path: path, Problems: []character.Problem{}, Repairs: []string{}}
	var invalid *character.InvalidError
	switch {
	case errors.As(err, &invalid):
		r.Problems, r.Repairs = invalid.Problems, append(r.Repairs, invalid.Repairs...)
	case err != nil:
		return characterError(err)
	default:
		digest := c.Digest()
		r.OK, r.ID, r.Name, r.Path, r.Digest = true, c.ID, c.Name, c.Path, hex.EncodeToString(digest[:])
		r.Repairs = append(r.Repairs, c.Notes...)
	}
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else {
		printCharacter(w, r)
	}
	if !r.OK {
		return &exitError{code: 1}
	}
	return nil
}

func printCharacter(w io.Writer, r characterReport) {
	if r.OK {
		fmt.Fprintf(w, "%s: %s, agent id %s, sha256 %s\n", r.Path, r.Name, r.ID, r.Digest)
		for _, note := range r.Repairs {
			fmt.Fprintln(w, "  repaired", note)
		}
		return
	}
	fmt.Fprintf(w, "%s: not Eliza's form, %d problem(s)\n", r.Path, len(r.Problems))
	for _, p := range r.Problems {
		fmt.Fprintln(w, "  "+p.String())
	}
	for _, note := range r.Repairs {
		fmt.Fprintln(w, "  --lenient would repair", note)
	}
}

// characterError adds the next step to what went wrong.
func characterError(err error) error {
	var missing *character.NotFoundError
	if errors.As(err, &missing) {
		return &exitError{code: 2, err: err, hint: "give the path of a character file, or leave --character out for the built-in one"}
	}
	var invalid *character.InvalidError
	if errors.As(err, &invalid) {
		return &exitError{code: 2, err: err, hint: "\"teapot character check " + invalid.Path + "\" lists this again; facts about each member: docs/eliza.md"}
	}
	return &exitError{code: 2, err: err, hint: "fix the file, or the path, and try again"}
}

package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/dcap"
)

func newQuoteCmd() *cobra.Command {
	return newGroup(&cobra.Command{
		Use:   "quote",
		Short: "Explain, verify and complete Intel SGX and TDX quotes",
	}, newQuoteShowCmd(), newQuoteVerifyCmd(), newQuoteCollateralCmd())
}

func newQuoteShowCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show FILE|-",
		Short: "Print every field of a quote and what can and cannot be verified",
		Long: `Print every field of a quote and what can and cannot be verified.

FILE is the quote as binary, hex (with or without 0x) or base64, alone or inside JSON, JavaScript or a log.
Nothing is verified: that is "teapot quote verify".`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			raw, err := readQuote(given[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			d := dcap.Describe(raw)
			if asJSON {
				return printJSON(cmd.OutOrStdout(), describedJSON(d))
			}
			printDescription(cmd.OutOrStdout(), len(raw), d)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// readQuote reads a file and finds the quote in it.
func readQuote(path string, stdin io.Reader) ([]byte, error) {
	_, raw, err := readQuoteInput(path, stdin)
	return raw, err
}

// readQuoteInput is readQuote, with the whole input.
func readQuoteInput(path string, stdin io.Reader) (input, raw []byte, err error) {
	if input, err = readInput(path, stdin); err != nil {
		return nil, nil, &exitError{code: 2, err: err}
	}
	if raw, err = extractQuote(input); err != nil {
		return nil, nil, &exitError{code: 2, err: err, hint: "pass the quote itself, or text that contains it"}
	}
	return input, raw, nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

type fieldJSON struct {
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	Name   string `json:"name"`
	Hex    string `json:"hex"`
	Note   string `json:"note,omitempty"`
}

type descriptionJSON struct {
	WellFormed bool        `json:"well_formed"`
	Verifiable bool        `json:"verifiable"` // with collateral; nothing is verified here
	Problems   []string    `json:"problems"`
	Fields     []fieldJSON `json:"fields"`
}

func describedJSON(d dcap.Description) descriptionJSON {
	out := descriptionJSON{WellFormed: d.Quote != nil, Verifiable: verifiable(d), Problems: d.Problems, Fields: []fieldJSON{}}
	if out.Problems == nil {
		out.Problems = []string{}
	}
	for _, f := range d.Fields {
		out.Fields = append(out.Fields, fieldJSON{f.Offset, len(f.Value), f.Name, hex.EncodeToString(f.Value), f.Note})
	}
	return out
}

func verifiable(d dcap.Description) bool { return d.Quote != nil && len(d.Problems) == 0 }

func printDescription(w io.Writer, size int, d dcap.Description) {
	fmt.Fprintf(w, "%d bytes\n\noffset  length  field\n", size)
	for _, f := range d.Fields {
		fmt.Fprintf(w, "%6d  %6d  %s", f.Offset, len(f.Value), f.Name)
		if f.Note != "" {
			fmt.Fprintf(w, ": %s", f.Note)
		}
		fmt.Fprintln(w)
		printHex(w, f.Value)
	}
	fmt.Fprintln(w)
	if verifiable(d) {
		fmt.Fprintln(w, "The form is good. Nothing above is verified yet: \"teapot quote verify\" checks the signatures up to the")
		fmt.Fprintln(w, "CPU maker's root, revocation and the firmware's level, with collateral.")
		return
	}
	fmt.Fprintln(w, "This quote CANNOT be verified. Its fields are claims that nobody vouches for:")
	for _, p := range d.Problems {
		fmt.Fprintf(w, "  - %s\n", p)
	}
	fmt.Fprintln(w, "Simulators make such quotes, and so does damage on the way. Do not trust any value above.")
}

// printHex prints at most 96 bytes in full; longer values (certificates, trailing bytes) by their beginning.
func printHex(w io.Writer, b []byte) {
	const perLine, most = 48, 96
	shown := b[:min(len(b), most)]
	for len(shown) > 0 {
		n := min(len(shown), perLine)
		fmt.Fprintf(w, "                %x\n", shown[:n])
		shown = shown[n:]
	}
	if len(b) > most {
		fmt.Fprintf(w, "                … %d bytes more\n", len(b)-most)
	}
}

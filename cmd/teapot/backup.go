package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/actionlog/disk"
)

func newBackupCmd() *cobra.Command {
	var data, out string
	cmd := &cobra.Command{
		Use:   "backup -o FILE",
		Short: "Copy a stopped agent's data directory into one file",
		Long: `The log's frames are encrypted already; on hardware only this code on this platform can read them again. A simulator's directory holds
its root keys: keep such a backup as you would keep the keys. The agent must be stopped, so that the copy is one moment.

An upgrade needs no backup: stop, replace the binary, start. A restored backup that is older than what readers, receipts or witnesses
saw is noticed by them: that is the point of the log.`,
		Example: "  teapot backup --data teapot-data -o teapot-backup.tar",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return &exitError{code: 64, err: errors.New("where to? -o FILE")}
			}
			n, err := backup(data, out)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d files of %s in %s\n", n, data, out)
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultData(), "data directory")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; an existing one is not replaced")
	return cmd
}

func newRestoreCmd() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:     "restore FILE",
		Short:   "Put a backup into an empty data directory",
		Example: "  teapot restore teapot-backup.tar --data teapot-data",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			n, err := restore(given[0], data)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d files restored into %s\n", n, data)
			fmt.Fprintln(cmd.OutOrStdout(), "readers who saw a newer log will be told that this one is older: that cannot be undone")
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", defaultData(), "data directory; must not exist or be empty")
	return cmd
}

// backup holds the log's lock while it copies, so that no agent writes.
func backup(data, out string) (files int, err error) {
	path := filepath.Join(data, "log")
	if _, err := os.Stat(path); err != nil { // OpenOS would make it
		return 0, &exitError{code: 2, err: fmt.Errorf("%s is no data directory: %w", data, err), hint: "name the directory that the agent was started with: --data DIR"}
	}
	logDir, err := disk.OpenOS(path)
	if err != nil {
		return 0, fmt.Errorf("%s is no data directory: %w", data, err)
	}
	defer func() { err = errors.Join(err, closeFS(logDir)) }()
	lock, err := logDir.Lock("LOCK")
	if errors.Is(err, disk.ErrLocked) {
		return 0, &exitError{code: 2, err: fmt.Errorf("%s is in use", data), hint: "stop the agent first (SIGTERM), then back up"}
	}
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, &exitError{code: 2, err: err, hint: "a backup is never overwritten: choose another name"}
	}
	w := tar.NewWriter(f)
	files, err = pack(w, data)
	return files, errors.Join(err, w.Close(), f.Sync(), f.Close())
}

func closeFS(v any) error {
	if c, ok := v.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func pack(w *tar.Writer, data string) (files int, err error) {
	return files, filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() && !d.IsDir() || d.Name() == "LOCK" {
			return err // sockets and locks belong to a running process
		}
		name, err := filepath.Rel(data, path)
		if err != nil || name == "." {
			return err
		}
		h, err := tar.FileInfoHeader(info, "")
		if err != nil {
			return err
		}
		h.Name = filepath.ToSlash(name)
		if err := w.WriteHeader(h); err != nil || d.IsDir() {
			return err
		}
		files++
		return copyInto(w, path)
	})
}

func copyInto(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// restore unpacks inside the directory and nowhere else (os.Root), and never over existing data.
func restore(file, data string) (files int, err error) {
	if entries, err := os.ReadDir(data); err == nil && len(entries) > 0 {
		return 0, &exitError{code: 2, err: fmt.Errorf("%s is not empty", data), hint: "choose another directory: restoring never overwrites"}
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(data)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return files, fmt.Errorf("%s is damaged or no backup: %w", file, err)
		}
		if err := unpack(root, h, r); err != nil {
			return files, err
		}
		if h.Typeflag == tar.TypeReg {
			files++
		}
	}
}

func unpack(root *os.Root, h *tar.Header, r io.Reader) error {
	name := strings.TrimSuffix(h.Name, "/")
	switch h.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o700)
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		return errors.Join(err, f.Sync(), f.Close())
	}
	return fmt.Errorf("%s: a backup holds files and directories only", h.Name)
}

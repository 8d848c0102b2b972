package main

import (
	"archive/zip"
	"bufio"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// artifactTemplate names a large file the way that both ouro publish and
// aws cloudformation package understand.
const artifactTemplate = `AWSTemplateFormatVersion: "2010-09-09"
Description: A layer with a large archive
Resources:
  Layer:
    Type: AWS::Lambda::LayerVersion
    Properties:
      Content: layer.zip
`

// writeArtifact writes an archive of that many bytes, and a little more, and the
// entrypoint "site.yaml" that refers to it. Nothing could compress it.
func writeArtifact(dir string, size int64) (err error) {
	f, err := os.Create(filepath.Join(dir, "layer.zip"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriterSize(f, 1<<20)
	archive := zip.NewWriter(out)
	entry, err := archive.CreateHeader(&zip.FileHeader{Name: "model.bin", Method: zip.Store})
	if err != nil {
		return err
	}
	if _, err := io.CopyN(entry, rand.NewChaCha8([32]byte{}), size); err != nil {
		return err
	}
	if err := errors.Join(archive.Close(), out.Flush()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "site.yaml"), []byte(artifactTemplate), 0o644)
}

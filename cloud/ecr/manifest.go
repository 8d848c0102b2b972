package ecr

import (
	"encoding/json"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"ouro/cloud/store"
)

// How many bytes a manifest may have, and how many layers or images it may
// name, which AWS leaves open.
const maxManifest, maxNamed = 4 << 20, 1000

// manifest is what a registry has to know of an image's manifest or of an
// index of images.
type manifest struct {
	mediaType    types.MediaType
	artifactType string   // the configuration's media type, or what the manifest says itself
	blobs        []string // the configuration and the layers
	members      []string // images of an index
	size         int64    // of the blobs
	subject      string   // the digest of what it refers to
	annotations  map[string]string
}

// shape is a manifest and an index in one.
type shape struct {
	SchemaVersion int64             `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	Config        *v1.Descriptor    `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Manifests     []v1.Descriptor   `json:"manifests"`
	Subject       *v1.Descriptor    `json:"subject"`
	ArtifactType  string            `json:"artifactType"`
	Annotations   map[string]string `json:"annotations"`
}

func badManifest(format string, args ...any) error {
	return badParameter("ImageManifest", "Invalid JSON syntax or unsupported manifest: "+format, args...)
}

// readManifest reads a manifest. given is the media type that came with it,
// which counts where the manifest says none.
func readManifest(content []byte, given string) (manifest, error) {
	if len(content) == 0 || len(content) > maxManifest {
		return manifest{}, badManifest("it has 1 to %d bytes", maxManifest)
	}
	var m shape
	if err := json.Unmarshal(content, &m); err != nil {
		return manifest{}, badManifest("%s", err)
	}
	if m.SchemaVersion != 2 {
		return manifest{}, badManifest("its schemaVersion is %d, and only 2 is supported", m.SchemaVersion)
	}
	if m.MediaType == "" {
		m.MediaType = types.MediaType(strings.TrimSpace(given))
	}
	if m.MediaType == "" {
		m.MediaType = types.OCIManifestSchema1
		if m.Config == nil {
			m.MediaType = types.OCIImageIndex
		}
	}
	if n := len(m.Layers) + len(m.Manifests); n > maxNamed {
		return manifest{}, badManifest("it names %d layers or images, and may name %d", n, maxNamed)
	}
	out := manifest{mediaType: m.MediaType, artifactType: m.ArtifactType}
	if m.Subject != nil {
		out.subject, out.annotations = m.Subject.Digest.String(), m.Annotations // which only referrers are told with
	}
	switch {
	case m.MediaType.IsImage() && m.Config != nil && len(m.Manifests) == 0:
		return out, out.addBlobs(m)
	case m.MediaType.IsIndex() && m.Config == nil && len(m.Layers) == 0:
		return out, out.addMembers(m)
	}
	return manifest{}, badManifest("the media type %q is neither that of an image with its configuration nor that of an index", m.MediaType)
}

// remote are layers that are fetched from elsewhere, and are not pushed.
func remote(d v1.Descriptor) bool { return len(d.URLs) > 0 && !d.MediaType.IsDistributable() }

func (out *manifest) addBlobs(m shape) error {
	if out.artifactType == "" {
		out.artifactType = string(m.Config.MediaType)
	}
	for _, d := range append([]v1.Descriptor{*m.Config}, m.Layers...) {
		if d.Digest.Algorithm != "sha256" || d.Size < 0 {
			return badManifest("a layer without a digest of SHA-256 or with the size %d", d.Size)
		}
		out.size += d.Size
		if !remote(d) && !slices.Contains(out.blobs, d.Digest.String()) {
			out.blobs = append(out.blobs, d.Digest.String())
		}
	}
	return nil
}

func (out *manifest) addMembers(m shape) error {
	for _, d := range m.Manifests {
		if d.Digest.Algorithm != "sha256" {
			return badManifest("an image without a digest of SHA-256")
		}
		if !slices.Contains(out.members, d.Digest.String()) {
			out.members = append(out.members, d.Digest.String())
		}
	}
	return nil
}

// newImage is the record of an image with the manifest.
func (m manifest) newImage(content []byte) image {
	return image{
		Digest: digestOf(content), MediaType: string(m.mediaType), ArtifactType: m.artifactType, Size: m.size, Manifest: int64(len(content)),
		Blobs: m.blobs, Members: m.members, Subject: m.subject, Annotations: m.annotations,
	}
}

func absentLayers(scope store.Scope, repository string, digests []string) error {
	return refuse("LayersNotFound", "Layers with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
		strings.Join(digests, ", "), repository, scope.Account)
}

func absentImages(scope store.Scope, repository string, digests []string) error {
	return refuse("ReferencedImagesNotFound", "Images with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
		strings.Join(digests, ", "), repository, scope.Account)
}

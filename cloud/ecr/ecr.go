// Package ecr is Amazon ECR on the local cloud: repositories and their
// settings through AWS's API, and a registry that speaks the distribution
// protocol of the OCI, from which docker, crane and others push and pull.
//
// The registry is served below /v2/ of the local cloud's own address. A
// repository's URI is HOST:PORT/NAME; whose repository of that name is meant,
// and in which region, the authorization token tells. The host
// ACCOUNT.dkr.ecr.REGION.localhost tells it by itself, as AWS's does.
//
// Layers and manifests are files named by their digests, below STATE/ecr. A
// file gets its name when it is whole and its digest is right. What a
// repository holds is in the store, and files that no repository holds go.
package ecr

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/door"
	"ouro/cloud/seal"
	"ouro/cloud/store"
)

// Service is Amazon ECR.
type Service struct {
	host         door.Host
	repositories store.Table[repository] // by name
	images       store.Table[image]      // by REPOSITORY@DIGEST
	tagged       store.Table[string]     // digests, by REPOSITORY:TAG
	layers       store.Table[layer]      // by REPOSITORY@DIGEST
	held         store.Table[bool]       // in no scope, by DIGEST/ACCOUNT/REGION/REPOSITORY
	uploads      store.Table[upload]     // by id
	previews     store.Table[preview]    // of lifecycle policies, by repository
	registries   store.Table[registry]   // settings of the account and region, under one name
	blobs        *blobs
	box          func() (*seal.Box, error) // of authorization tokens

	writing sync.Map // ids of the uploads that a request is writing to
	outbox  *door.Outbox[event]
}

// New makes the service; host keeps its records.
func New(host door.Host) *Service {
	st := host.Store()
	s := &Service{
		host:         host,
		repositories: store.NewTable[repository](st, "ecr", "repository"),
		images:       store.NewTable[image](st, "ecr", "image"),
		tagged:       store.NewTable[string](st, "ecr", "tag"),
		layers:       store.NewTable[layer](st, "ecr", "layer"),
		held:         store.NewTable[bool](st, "ecr", "held"),
		uploads:      store.NewTable[upload](st, "ecr", "upload"),
		previews:     store.NewTable[preview](st, "ecr", "preview"),
		registries:   store.NewTable[registry](st, "ecr", "registry"),
		blobs:        newBlobs(func() string { return st.Dir("ecr") }),
		box:          sync.OnceValues(func() (*seal.Box, error) { return seal.Open(st.Dir("seal")) }),
	}
	s.outbox = door.NewOutbox(host, "ecr", "event", "tell EventBridge of images", s.send)
	return s
}

// registry is what an account has set for all its repositories of a region.
type registry struct {
	Policy   string            `json:",omitempty"`
	Scanning *scanning         `json:",omitempty"`
	Settings map[string]string `json:",omitempty"` // of the account, by name
}

type scanning struct {
	Type  types.ScanType
	Rules []types.RegistryScanningRule
}

// registryID is the one name of registries.
const registryID = "registry"

// tidyEvery is how often lifecycle policies are applied besides after pushes,
// and what nobody needs is removed.
const tidyEvery = time.Hour

// Resume tells the events that an earlier process has not told, and begins to
// tidy up.
func (s *Service) Resume(ctx context.Context) error {
	s.outbox.Tell()
	s.host.Go("ecr: tidying up", func(ctx context.Context) {
		every := time.NewTicker(tidyEvery)
		defer every.Stop()
		for {
			if err := s.tidy(ctx); err != nil && ctx.Err() == nil {
				s.host.Log().Warn("tidying up the registry", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-every.C:
			}
		}
	})
	return nil
}

// now is the time in ECR's precision.
func (s *Service) now() time.Time { return s.host.Now().Truncate(time.Millisecond) }

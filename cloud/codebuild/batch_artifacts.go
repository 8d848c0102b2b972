package codebuild

import (
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// placeArtifacts gives a build of a batch places of its own for its
// artifacts: two builds never write the same object. The project is the
// build's copy.
//
//   - By itself each build has a folder with its identifier.
//   - Combined artifacts that are no zip go to one place together, as files.
//   - Combined zips are put together when all builds have ended, and lie in
//     the folders until then.
//   - A pipeline's uncombined artifacts go where the pipeline wants them.
func placeArtifacts(p *types.Project, of *batch, identifier string) {
	if identifier == batchSpec {
		p.Artifacts, p.SecondaryArtifacts = &types.ProjectArtifacts{Type: types.ArtifactsTypeNoArtifacts}, nil
		return
	}
	combined := of.combines()
	if of.Pipeline && !combined {
		pipelineArtifacts(p, of, identifier)
		return
	}
	place(p.Artifacts, of, identifier, combined)
	for i := range p.SecondaryArtifacts {
		place(&p.SecondaryArtifacts[i], of, identifier, combined)
	}
}

func (b *batch) combines() bool { return aws.ToBool(b.Batch.BuildBatchConfig.CombineArtifacts) }

// uuid is the part of the batch's id behind the project's name.
func (b *batch) uuid() string {
	_, uuid, _ := strings.Cut(*b.Batch.Id, ":")
	return uuid
}

func place(a *types.ProjectArtifacts, of *batch, identifier string, combined bool) {
	if a.Type != types.ArtifactsTypeS3 {
		return
	}
	in := strings.Trim(aws.ToString(a.Path), "/")
	if combined && a.NamespaceType == types.ArtifactNamespaceBuildId {
		in = path.Join(in, of.uuid())
		a.NamespaceType = types.ArtifactNamespaceNone
	}
	if !combined || a.Packaging == types.ArtifactPackagingZip {
		in = path.Join(in, identifier)
	}
	a.Path = &in
}

// pipelineArtifacts picks from the output artifacts of a pipeline's action
// those of the build
// (https://docs.aws.amazon.com/codebuild/latest/userguide/sample-codepipeline.html):
// the one with its identifier is its primary artifact, those that begin with
// the identifier and an underscore are its secondary ones.
func pipelineArtifacts(p *types.Project, of *batch, identifier string) {
	outputs := p.SecondaryArtifacts
	p.SecondaryArtifacts = nil
	place(p.Artifacts, of, identifier, false)
	for _, a := range outputs {
		id := aws.ToString(a.ArtifactIdentifier)
		rest, mine := strings.CutPrefix(id, identifier+"_")
		switch {
		case id == identifier:
			a.ArtifactIdentifier = nil
			p.Artifacts = &a
		case mine && !planHas(of.Plan, id): // and not the primary one of another build
			a.ArtifactIdentifier = &rest
			p.SecondaryArtifacts = append(p.SecondaryArtifacts, a)
		}
	}
}

func planHas(plan map[string]planned, identifier string) bool {
	_, there := plan[identifier]
	return there
}

// resolvedArtifact is what a group shows of an artifact. AWS writes the type
// in lower case here.
func resolvedArtifact(kind types.ArtifactsType, a *types.BuildArtifacts, identifier *string) *types.ResolvedArtifact {
	out := &types.ResolvedArtifact{Type: types.ArtifactsType(strings.ToLower(string(kind))), Identifier: identifier}
	if aws.ToString(a.Location) != "" {
		out.Location = a.Location
	}
	return out
}

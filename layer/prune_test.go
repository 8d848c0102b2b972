package layer_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"ouro/cloud/cloudtest"
	"ouro/layer"
)

// account is an account with layers in it.
type account struct {
	*testing.T
	*layer.Clients
}

// publish publishes versions of a layer, with the parameters that tell of them,
// and gives their ARNs.
func (a account) publish(name string, count int) (arns []string) {
	a.Helper()
	for i := range count {
		var body bytes.Buffer
		z := zip.NewWriter(&body)
		f, err := z.Create("python/x.py")
		if err == nil {
			_, err = fmt.Fprintf(f, "x = %d\n", i)
		}
		if err != nil || z.Close() != nil {
			a.Fatal(err)
		}
		out, err := a.Functions.PublishLayerVersion(a.Context(), &lambda.PublishLayerVersionInput{LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: body.Bytes()}})
		if err != nil {
			a.Fatal(err)
		}
		arns = append(arns, aws.ToString(out.LayerVersionArn))
		a.parameter(layer.VersionParameter(name, out.Version), arns[i])
	}
	a.parameter(layer.LatestParameter(name), arns[count-1])
	return arns
}

func (a account) parameter(name, value string) {
	a.Helper()
	if _, err := a.Parameters.PutParameter(a.Context(), &ssm.PutParameterInput{Name: &name, Value: &value, Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true)}); err != nil {
		a.Fatal(err)
	}
}

// aliased makes a function whose alias is on a published version with that
// layer, and whose newest code uses none.
func (a account) aliased(name, layerARN string) {
	a.Helper()
	role, err := a.Roles.CreateRole(a.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	if err != nil {
		a.Fatal(err)
	}
	var body bytes.Buffer
	z := zip.NewWriter(&body)
	if _, err := z.Create("app.py"); err != nil || z.Close() != nil {
		a.Fatal(err)
	}
	if _, err := a.Functions.CreateFunction(a.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: role.Role.Arn, Runtime: types.RuntimePython313, Handler: aws.String("app.handler"), Layers: []string{layerARN},
		Code: &types.FunctionCode{ZipFile: body.Bytes()}, Publish: true,
	}); err != nil {
		a.Fatal(err)
	}
	if _, err := a.Functions.CreateAlias(a.Context(), &lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: aws.String("1")}); err != nil {
		a.Fatal(err)
	}
	if _, err := a.Functions.UpdateFunctionConfiguration(a.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: &name, Layers: []string{}}); err != nil {
		a.Fatal(err)
	}
}

func (a account) left(name string) (versions []int64) {
	a.Helper()
	there, err := layer.Versions(a.Context(), a.Clients, name)
	if err != nil {
		a.Fatal(err)
	}
	for _, v := range there {
		versions = append(versions, v.Version)
	}
	return versions
}

func TestPrune(t *testing.T) {
	t.Parallel()
	a := account{t, layer.NewClients(cloudtest.New(t).Config)}

	t.Run("what an alias leads to stays", func(t *testing.T) {
		a := account{t, a.Clients}
		a.aliased("live", a.publish("aliased", 3)[0])
		p, err := layer.Prune(t.Context(), a.Clients, "aliased", 1)
		if err != nil || !slices.Equal(p.Deleted, []int64{2}) || !slices.Equal(p.InUse[1], []string{"live:1"}) {
			t.Errorf("pruned %+v: %v", p, err)
		}
		if got := a.left("aliased"); !slices.Equal(got, []int64{3, 1}) {
			t.Errorf("left %v", got)
		}
	})
	// Deleting may have been cut off when all but a version was gone.
	t.Run("what is left of a layer is found", func(t *testing.T) {
		a := account{t, a.Clients}
		a.publish("half", 1)
		if _, err := a.Parameters.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String(layer.LatestParameter("half"))}); err != nil {
			t.Fatal(err)
		}
		up := &layer.Up{Clients: a.Clients}
		if names, err := up.Layers(t.Context()); err != nil || !slices.Contains(names, "half") {
			t.Errorf("there are %v: %v", names, err)
		}
	})
	// A deployment that was taken back leaves its version there, and the parameter
	// on the one before.
	t.Run("what the parameter names stays", func(t *testing.T) {
		a := account{t, a.Clients}
		arns := a.publish("back", 4)
		a.parameter(layer.LatestParameter("back"), arns[2])
		p, err := layer.Prune(t.Context(), a.Clients, "back", 1)
		if err != nil || !slices.Equal(p.Deleted, []int64{1, 2}) || !slices.Equal(p.InUse[3], []string{layer.LatestParameter("back")}) {
			t.Errorf("pruned %+v: %v", p, err)
		}
		if got := a.left("back"); !slices.Equal(got, []int64{4, 3}) {
			t.Errorf("left %v", got)
		}
		shown, err := layer.Show(t.Context(), a.Clients, "back")
		if err != nil || len(shown) != 2 || shown[0].Latest || !shown[1].Latest {
			t.Errorf("shown %+v: %v", shown, err)
		}
	})
}

"""Serves AWS's interfaces by moto, on a free port of this machine: prints the address, and then what moto logs.

Six things of moto 5.2 are changed for the test. They say how far the test goes, so they stand here.
"""

import string
import sys

from moto.awslambda.models import LambdaVersion, lambda_backends
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, cloudformation_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


class Template(string.Template):
    """CloudFormation takes names in an Fn::Sub that begin with a digit. The plugin for state machines makes such names."""

    idpattern = "(?a:[_a-z0-9]+)"


# Of the module string, moto's parser uses the class Template only.
parsing.string = type("string", (), {"Template": Template})

# Types that moto's CloudFormation can't make. It would leave them out, and with them every variable and output that refers
# to one. Here each gets a name and attributes; nobody looks at its properties, which cfn-lint checks. Any other type that
# moto does not know fails the deployment; a type that is no more in the template fails the test. So this list is the whole
# truth.
NOT_MADE = [
    "AWS::CloudWatch::Alarm",
    "AWS::S3::BucketPolicy",
    "AWS::SES::ConfigurationSet",
    "AWS::SES::ConfigurationSetEventDestination",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
]


class StandIn:
    """A resource of one of these types, as moto's CloudFormation treats its own."""

    def __init__(self, name):
        self.physical_resource_id = name

    def is_created(self):
        return True

    @classmethod
    def has_cfn_attr(cls, _):
        return True

    def get_cfn_attribute(self, attribute_name):
        return f"{self.physical_resource_id}-{attribute_name}"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
        return cls(resource_name)

    @classmethod
    def update_from_cloudformation_json(cls, original_resource, *_, **__):
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(cls, *_):
        pass


def model(resource_type):
    known = parsing.get_model_map()
    if resource_type in known:
        return known[resource_type]
    if resource_type in NOT_MADE:
        return StandIn
    raise ValidationError(message=f"moto can't make {resource_type}: see NOT_MADE in deploytest/server.py")


parsing.resource_class_from_type = model


def apply(change_set):
    """Carries out a change set. moto's own method leaves outputs and exports as they were."""
    stack = change_set.stack
    stack.resource_map.update(change_set.template_dict, change_set.parameters)
    stack.template = change_set.template
    stack._parse_template()
    stack.output_map = stack._create_output_map()
    backend = cloudformation_backends[stack.account_id][stack.region_name]
    backend.exports.update({export.name: export for export in stack.exports})


ChangeSet.apply = apply

make_version = LambdaVersion.create_from_cloudformation_json


def version(resource_name, cloudformation_json, account_id, region_name, **rest):
    """Makes a version of a function. A reference to it is the function's ARN with the version; moto's own is no ARN."""
    made = make_version(resource_name, cloudformation_json, account_id, region_name, **rest)
    function = lambda_backends[account_id][region_name].get_function(cloudformation_json["Properties"]["FunctionName"])
    made.physical_resource_id = f"{function.function_arn}:{made.version}"
    return made


LambdaVersion.create_from_cloudformation_json = version

delete_all = parsing.ResourceMap.delete


def delete(resources):
    """Deletes a stack. moto knows Retain only, and would delete what has the policy RetainExceptOnCreate."""
    for resource in resources._resource_json_map.values():
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
            resource["DeletionPolicy"] = "Retain"
    delete_all(resources)


parsing.ResourceMap.delete = delete

# moto validates a template by cfn-lint and refuses its warnings, too. AWS looks at the syntax only, and cfn-lint has a test
# of its own.
CloudFormationBackend.validate_template = lambda backend, template: []


def main():
    needless = sorted(set(NOT_MADE) & set(parsing.get_model_map()))
    if needless:
        sys.exit(f"moto can make these by now, take them out of NOT_MADE: {', '.join(needless)}")
    server = make_server(
        "127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True, request_handler=MotoRequestHandler
    )
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

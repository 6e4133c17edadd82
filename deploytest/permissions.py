"""Prints what CloudFormation needs for the resources of templates, and a policy does not allow.

permissions.py POLICY.json TEMPLATE.json... The needs are those of AWS's own schemas, which cfn-lint brings along. Where
something may be done is not looked at.
"""

import fnmatch
import json
import sys

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

# The schemas name what any property of a type may need. The templates have no property that needs these.
UNUSED = [
    "elasticfilesystem:*", "firehose:*", "s3files:*", "s3tables:*", "vpc-lattice:*", "vpce:*",
    "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",  # of functions, queues and state machines
    "kms:DisableKey", "kms:DisableKeyRotation", "kms:EnableKey",
    "iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary",
]


def matches(action, patterns):
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def needed(resource_type):
    """The actions to make, change, read, delete and tag a resource: osls tags the stack, and so all that is in it."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    handlers = {name: handler for name, handler in schema["handlers"].items() if name != "list"}
    handlers["tagging"] = schema.get("tagging") or {}
    return {action for handler in handlers.values() for action in handler.get("permissions", [])}


def main(policy, *templates):
    with open(policy) as file:
        allowed = [action for statement in json.load(file)["Statement"] for action in listed(statement["Action"])]
    types = set()
    for name in templates:
        with open(name) as file:
            types |= {resource["Type"] for resource in json.load(file)["Resources"].values()}
    for resource_type in sorted(types):
        for action in sorted(needed(resource_type)):
            if not matches(action, allowed) and not matches(action, UNUSED):
                print(f"{resource_type} needs {action}")


def listed(value):
    return [value] if isinstance(value, str) else value


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What Zoho documents of its CRM API, so that what is not served here can say so.

Facts, not code: methods and paths of the official OpenAPI description of v8, both editions (GitHub
zoho/crm-oas `v8.0/*.json`, and its 3.1 edition), read on 2026-11-27; the parameters of the
operations that are served here, from the official Python SDKs 2.0 and 8.0. Older versions have a
subset under the same paths. Left out: the paths below `/Notes`, which are those of any module.
"""

from __future__ import annotations

from collections.abc import Mapping

_OPERATIONS = """
/crm/bulk/{version}/backup GET POST
/crm/bulk/{version}/backup/history GET
/crm/bulk/{version}/backup/urls GET
/crm/bulk/{version}/backup/{id}/actions/cancel PUT
/crm/bulk/{version}/read POST
/crm/bulk/{version}/read/{job_id} GET
/crm/bulk/{version}/read/{job_id}/result GET
/crm/bulk/{version}/write POST
/crm/bulk/{version}/write/{job_id} GET
/crm/email/{version}/settings/compose GET PUT
/crm/{version}/__apis GET
/crm/{version}/__composite_requests POST
/crm/{version}/__features GET
/crm/{version}/__features/data_enrichment GET
/crm/{version}/__features/user_licenses GET
/crm/{version}/__features/{feature} GET
/crm/{version}/__zia_org_enrichment GET POST
/crm/{version}/__zia_org_enrichment/{id} GET
/crm/{version}/__zia_people_enrichment GET POST
/crm/{version}/__zia_people_enrichment/{zia_people_enrichment_id} GET
/crm/{version}/actions/email_available GET
/crm/{version}/actions/watch DELETE GET PATCH POST PUT
/crm/{version}/Appointments__s DELETE GET POST PUT
/crm/{version}/Appointments__s/{appointment_id} DELETE GET PUT
/crm/{version}/Appointments_Rescheduled_History__s GET POST PUT
/crm/{version}/Appointments_Rescheduled_History__s/{id} DELETE GET PUT
/crm/{version}/contacts/roles DELETE GET POST PUT
/crm/{version}/contacts/roles/{role} DELETE GET PUT
/crm/{version}/Contacts/{contact_id}/Emails/actions/link_record DELETE POST
/crm/{version}/Contacts/{contact_id}/Emails/{message_id}/actions/link_record DELETE POST
/crm/{version}/coql POST
/crm/{version}/Entity_Scores__s GET
/crm/{version}/Entity_Scores__s/{record_id} GET
/crm/{version}/Events/{event}/actions/cancel POST
/crm/{version}/files GET POST
/crm/{version}/Leads/actions/mass_convert GET POST
/crm/{version}/Leads/{lead_id}/__conversion_options GET
/crm/{version}/Leads/{lead_id}/actions/convert POST
/crm/{version}/org GET
/crm/{version}/org/currencies GET POST PUT
/crm/{version}/org/currencies/actions/available_currencies GET
/crm/{version}/org/currencies/actions/enable POST PUT
/crm/{version}/org/currencies/{currency} GET PUT
/crm/{version}/org/photo DELETE GET POST
/crm/{version}/Services__s DELETE GET POST PUT
/crm/{version}/Services__s/{id} DELETE GET PUT
/crm/{version}/settings/appointment_preferences GET PUT
/crm/{version}/settings/audit_log_export GET POST
/crm/{version}/settings/audit_log_export/{id} GET
/crm/{version}/settings/automation/assignment_rules GET
/crm/{version}/settings/automation/assignment_rules/{id} GET
/crm/{version}/settings/automation/cadences GET
/crm/{version}/settings/automation/field_updates DELETE GET POST
/crm/{version}/settings/automation/field_updates/{id} DELETE GET PUT
/crm/{version}/settings/automation/scoring_rules DELETE GET POST PUT
/crm/{version}/settings/automation/scoring_rules/{rule_id} DELETE GET PUT
/crm/{version}/settings/automation/scoring_rules/{rule_id}/actions/activate DELETE PUT
/crm/{version}/settings/automation/scoring_rules/{rule_id}/actions/clone POST
/crm/{version}/settings/automation/tasks DELETE GET POST
/crm/{version}/settings/automation/tasks/{id} DELETE GET PUT
/crm/{version}/settings/automation/webhook_failures GET
/crm/{version}/settings/automation/webhooks DELETE GET POST PUT
/crm/{version}/settings/automation/webhooks/actions/associated_modules GET
/crm/{version}/settings/automation/webhooks/actions/usage_reports GET
/crm/{version}/settings/automation/webhooks/{webhook_id} DELETE GET PUT
/crm/{version}/settings/automation/workflow_rules DELETE GET POST PUT
/crm/{version}/settings/automation/workflow_rules/actions/actions_count GET
/crm/{version}/settings/automation/workflow_rules/actions/module_specific_count GET
/crm/{version}/settings/automation/workflow_rules/actions/reorder PUT
/crm/{version}/settings/automation/workflow_rules/actions/rules_count GET
/crm/{version}/settings/automation/workflow_rules/{id} DELETE GET PUT
/crm/{version}/settings/automation/workflow_rules/{workflow_rule_id}/actions/usage GET
/crm/{version}/settings/business_hours GET POST PUT
/crm/{version}/settings/business_hours/shift_hours GET POST PUT
/crm/{version}/settings/business_hours/shift_hours/{shift} DELETE GET PUT
/crm/{version}/settings/call_preferences GET PUT
/crm/{version}/settings/custom_views GET
/crm/{version}/settings/custom_views/actions/change_sort PUT
/crm/{version}/settings/custom_views/{id} GET
/crm/{version}/settings/custom_views/{id}/actions/change_sort PUT
/crm/{version}/settings/data_sharing GET PUT
/crm/{version}/settings/data_sharing/rules GET POST PUT
/crm/{version}/settings/data_sharing/rules/actions/run POST
/crm/{version}/settings/data_sharing/rules/actions/summary GET POST
/crm/{version}/settings/data_sharing/rules/search POST
/crm/{version}/settings/data_sharing/rules/{id} DELETE GET PUT
/crm/{version}/settings/data_sharing/rules/{id}/actions/activate DELETE PUT
/crm/{version}/settings/duplicate_check_preference DELETE GET POST PUT
/crm/{version}/settings/email_templates GET
/crm/{version}/settings/email_templates/{template} GET
/crm/{version}/settings/emails/actions/from_addresses GET
/crm/{version}/settings/fields GET PATCH POST
/crm/{version}/settings/fields/{field_id} DELETE GET PATCH
/crm/{version}/settings/fields/{field_id}/pick_list_values GET
/crm/{version}/settings/fiscal_year GET PUT
/crm/{version}/settings/global_picklists DELETE GET PATCH POST
/crm/{version}/settings/global_picklists/{id} DELETE GET PATCH
/crm/{version}/settings/global_picklists/{id}/actions/associations GET
/crm/{version}/settings/global_picklists/{id}/actions/pick_list_values_associations GET
/crm/{version}/settings/global_picklists/{id}/actions/replace_picklist_values POST
/crm/{version}/settings/global_picklists/{id}/actions/replaced_values GET
/crm/{version}/settings/holidays GET POST PUT
/crm/{version}/settings/holidays/{holiday_id} DELETE GET PUT
/crm/{version}/settings/inventory_templates GET
/crm/{version}/settings/inventory_templates/{template} GET
/crm/{version}/settings/layouts GET PATCH
/crm/{version}/settings/layouts/{id} DELETE GET PATCH
/crm/{version}/settings/layouts/{id}/actions/activate DELETE POST
/crm/{version}/settings/layouts/{layout_id}/map_dependency GET POST
/crm/{version}/settings/layouts/{layout_id}/map_dependency/{dependency_id} DELETE GET PUT
/crm/{version}/settings/modules GET POST PUT
/crm/{version}/settings/modules/{module} GET PUT
/crm/{version}/settings/pipeline GET PATCH POST PUT
/crm/{version}/settings/pipeline/actions/transfer POST
/crm/{version}/settings/pipeline/{id} GET PATCH PUT
/crm/{version}/settings/portals GET POST
/crm/{version}/settings/portals/meta GET
/crm/{version}/settings/portals/{portal}/user_type/{type}/users/{id}/actions/change_status POST PUT
/crm/{version}/settings/portals/{portal} DELETE GET PUT
/crm/{version}/settings/portals/{portal}/user_type GET POST
/crm/{version}/settings/portals/{portal}/user_type/{user_type_id} DELETE GET PUT
/crm/{version}/settings/portals/{portal}/user_type/{user_type}/users DELETE GET
/crm/{version}/settings/portals/{portal}/user_type/{user_type}/users/action/transfer POST
/crm/{version}/settings/portals/{portal}/user_type/{user_type}/users/actions/change_status POST
/crm/{version}/settings/profiles GET
/crm/{version}/settings/profiles/{id} DELETE GET PUT
/crm/{version}/settings/profiles/{id}/actions/clone POST
/crm/{version}/settings/record_locking_configurations DELETE GET POST PUT
/crm/{version}/settings/record_locking_configurations/{id} DELETE GET PUT
/crm/{version}/settings/recycle_bin DELETE GET
/crm/{version}/settings/recycle_bin/actions/count GET
/crm/{version}/settings/recycle_bin/actions/empty POST
/crm/{version}/settings/recycle_bin/actions/restore POST
/crm/{version}/settings/recycle_bin/{record_id} DELETE GET
/crm/{version}/settings/recycle_bin/{record_id}/actions/restore POST
/crm/{version}/settings/related_lists GET
/crm/{version}/settings/related_lists/{id} GET
/crm/{version}/settings/roles GET POST PUT
/crm/{version}/settings/roles/{role} DELETE GET PUT
/crm/{version}/settings/service_preferences GET PUT
/crm/{version}/settings/tags GET POST PUT
/crm/{version}/settings/tags/actions/mass_delete GET POST
/crm/{version}/settings/tags/{id} DELETE PUT
/crm/{version}/settings/tags/{id}/actions/merge POST
/crm/{version}/settings/tags/{id}/actions/records_count GET
/crm/{version}/settings/territories DELETE GET POST PUT
/crm/{version}/settings/territories/actions/associated_users_count GET
/crm/{version}/settings/territories/actions/deleted_associated_territories GET
/crm/{version}/settings/territories/actions/transfer_and_delete POST
/crm/{version}/settings/territories/{id} DELETE GET PUT
/crm/{version}/settings/territories/{id}/__child_territories GET
/crm/{version}/settings/territories/{id}/actions/transfer_and_delete POST
/crm/{version}/settings/territories/{territory}/users DELETE GET PUT
/crm/{version}/settings/territories/{territory}/users/{user} DELETE GET PUT
/crm/{version}/settings/unsubscribe_link/actions/associations GET
/crm/{version}/settings/unsubscribe_links GET POST PUT
/crm/{version}/settings/unsubscribe_links/{id} DELETE GET PUT
/crm/{version}/settings/user_groups GET POST PUT
/crm/{version}/settings/user_groups/actions/associated_users_count GET
/crm/{version}/settings/user_groups/actions/deletion_jobs GET
/crm/{version}/settings/user_groups/actions/get_assigned POST
/crm/{version}/settings/user_groups/actions/get_unassigned POST
/crm/{version}/settings/user_groups/{group} DELETE GET PUT
/crm/{version}/settings/user_groups/{group}/actions/associations GET
/crm/{version}/settings/user_groups/{group}/actions/sources_count GET
/crm/{version}/settings/user_groups/{group}/associated_users/actions/grouped_counts GET
/crm/{version}/settings/user_groups/{group}/sources GET
/crm/{version}/settings/users_unavailability GET POST PUT
/crm/{version}/settings/users_unavailability/{id} DELETE GET PUT
/crm/{version}/settings/variable_groups GET PUT
/crm/{version}/settings/variable_groups/{id} GET PUT
/crm/{version}/settings/variables DELETE GET POST PUT
/crm/{version}/settings/variables/{id} DELETE GET PUT
/crm/{version}/settings/wizards GET
/crm/{version}/settings/wizards/{wizard_id} GET
/crm/{version}/settings/zia/data_enrichment GET
/crm/{version}/upload POST
/crm/{version}/users GET POST PUT
/crm/{version}/users/actions/count GET
/crm/{version}/users/actions/transfer GET
/crm/{version}/users/actions/transfer_and_delete GET POST
/crm/{version}/users/{user_id}/actions/transfer POST
/crm/{version}/users/{user_id}/actions/transfer_and_delete POST
/crm/{version}/users/{user_id}/actions/validate_before_transfer GET
/crm/{version}/users/{user_id} DELETE GET PUT
/crm/{version}/users/{user}/actions/associated_groups GET
/crm/{version}/users/{user}/territories DELETE GET PUT
/crm/{version}/users/{user}/territories/{territory} DELETE GET
/crm/{version}/workflow_configurations GET
/crm/{version}/{module} DELETE GET POST PUT
/crm/{version}/{module}/actions/add_tags POST
/crm/{version}/{module}/actions/assign_territories POST
/crm/{version}/{module}/actions/change_owner POST
/crm/{version}/{module}/actions/count GET POST
/crm/{version}/{module}/actions/enrol_in_cadences POST
/crm/{version}/{module}/actions/fetch_full_data GET
/crm/{version}/{module}/actions/mass_change_owner GET POST
/crm/{version}/{module}/actions/mass_convert GET POST
/crm/{version}/{module}/actions/mass_delete GET POST
/crm/{version}/{module}/actions/mass_update GET POST
/crm/{version}/{module}/actions/portal_invite GET POST
/crm/{version}/{module}/actions/remove_tags POST
/crm/{version}/{module}/actions/remove_territories POST
/crm/{version}/{module}/actions/run_scoring_rules PUT
/crm/{version}/{module}/actions/share_emails POST
/crm/{version}/{module}/actions/unblock_email POST
/crm/{version}/{module}/actions/unenrol_from_cadences POST
/crm/{version}/{module}/actions/unshare_emails POST
/crm/{version}/{module}/deleted GET
/crm/{version}/{module}/deleted/{parent_record}/{related_list} GET
/crm/{version}/{module}/search GET
/crm/{version}/{module}/upsert POST
/crm/{version}/{module}/{record_id} DELETE GET PUT
/crm/{version}/{module}/{record_id}/__email_drafts GET POST PUT
/crm/{version}/{module}/{record_id}/__email_drafts/{draft} DELETE GET PUT
/crm/{version}/{module}/{record_id}/__emails_sharing_details GET
/crm/{version}/{module}/{record_id}/__timeline GET
/crm/{version}/{module}/{record_id}/actions/add_tags POST
/crm/{version}/{module}/{record_id}/actions/assign_territories POST
/crm/{version}/{module}/{record_id}/actions/associate_email POST
/crm/{version}/{module}/{record_id}/actions/blueprint GET PUT
/crm/{version}/{module}/{record_id}/actions/change_owner POST
/crm/{version}/{module}/{record_id}/actions/clone POST
/crm/{version}/{module}/{record_id}/actions/convert POST
/crm/{version}/{module}/{record_id}/actions/download_fields_attachment GET
/crm/{version}/{module}/{record_id}/actions/download_mail_merge POST
/crm/{version}/{module}/{record_id}/actions/fetch_full_data GET
/crm/{version}/{module}/{record_id}/actions/get_related_records_count POST
/crm/{version}/{module}/{record_id}/actions/merge GET POST
/crm/{version}/{module}/{record_id}/actions/portal_invite POST
/crm/{version}/{module}/{record_id}/actions/remove_tags POST
/crm/{version}/{module}/{record_id}/actions/remove_territories POST
/crm/{version}/{module}/{record_id}/actions/send_mail POST
/crm/{version}/{module}/{record_id}/actions/send_mail_merge POST
/crm/{version}/{module}/{record_id}/actions/share DELETE GET POST PUT
/crm/{version}/{module}/{record_id}/actions/share_emails POST
/crm/{version}/{module}/{record_id}/actions/sign_mail_merge POST
/crm/{version}/{module}/{record_id}/actions/unblock_email POST
/crm/{version}/{module}/{record_id}/actions/unshare_emails POST
/crm/{version}/{module}/{record_id}/Attachments DELETE GET POST
/crm/{version}/{module}/{record_id}/Attachments/{id} DELETE GET
/crm/{version}/{module}/{record_id}/Contact_Roles DELETE GET PUT
/crm/{version}/{module}/{record_id}/Contact_Roles/{contact_id} DELETE GET PUT
/crm/{version}/{module}/{record_id}/Emails GET
/crm/{version}/{module}/{record_id}/Emails/actions/download_attachments GET
/crm/{version}/{module}/{record_id}/Emails/actions/download_inline_images GET
/crm/{version}/{module}/{record_id}/Emails/{message_id} GET
/crm/{version}/{module}/{record_id}/Locking_Information__s GET POST
/crm/{version}/{module}/{record_id}/Locking_Information__s/{lock_id} DELETE GET PUT
/crm/{version}/{module}/{record_id}/Notes DELETE GET POST PUT
/crm/{version}/{module}/{record_id}/Notes/{note_id} DELETE GET PUT
/crm/{version}/{module}/{record_id}/photo DELETE GET POST
/crm/{version}/{module}/{record_id}/{related_list} DELETE GET PUT
/crm/{version}/{module}/{record_id}/{related_list}/{record} DELETE GET PUT
"""
"""A path and its methods in each line. A name in braces is a parameter."""

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    path: tuple(methods) for path, *methods in map(str.split, _OPERATIONS.strip().splitlines())
}
"""The documented methods by path."""

_LISTED = "approved converted cvid uid startDateTime endDateTime territory_id include_child fields"
PARAMETERS: Mapping[tuple[str, str], tuple[str, ...]] = (
    {
        ("GET", path): tuple(names.split())
        for path, names in {
            "/crm/{version}/settings/modules": "status",
            "/crm/{version}/settings/fields": (
                "module type data_type include feature_name component layout_id"
            ),
            "/crm/{version}/settings/fields/{field_id}": "module include",
            "/crm/{version}/settings/layouts": "module",
            "/crm/{version}/users": "type page per_page ids",
            "/crm/{version}/{module}": (
                f"{_LISTED} ids sort_by sort_order page per_page page_token"
            ),
            "/crm/{version}/{module}/{record_id}": f"{_LISTED} on_demand_properties",
        }.items()
    }
    | {
        ("GET", f"/crm/{{version}}/{{module}}/{end}"): tuple(names.split())
        for end, names in {
            "search": (
                "criteria email phone word converted approved approval_state page per_page fields "
                "sort_by sort_order type cvid"
            ),
            "actions/count": "criteria email phone word",
            "deleted": "type page per_page",
        }.items()
    }
    | {
        ("DELETE", "/crm/{version}/{module}"): ("ids", "wf_trigger"),
        ("DELETE", "/crm/{version}/{module}/{record_id}"): ("wf_trigger",),
    }
)
"""The documented parameters of the query, by method and path."""

HEADERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("GET", path): tuple(names.split())
    for path, names in {
        "/crm/{version}/settings/modules": "If-Modified-Since",
        "/crm/{version}/users": "If-Modified-Since",
        "/crm/{version}/users/{user_id}": "If-Modified-Since",
        "/crm/{version}/{module}": "If-Modified-Since X-EXTERNAL",
        "/crm/{version}/{module}/deleted": "If-Modified-Since",
        "/crm/{version}/{module}/search": "X-EXTERNAL",
        "/crm/{version}/{module}/{record_id}": "If-Modified-Since X-EXTERNAL",
    }.items()
} | {
    (method, path): tuple(names.split())
    for method, path, names in (
        ("POST", "/crm/{version}/{module}", "X-EXTERNAL"),
        ("PUT", "/crm/{version}/{module}", "If-Unmodified-Since X-EXTERNAL"),
        ("PUT", "/crm/{version}/{module}/{record_id}", "If-Unmodified-Since X-EXTERNAL"),
        ("POST", "/crm/{version}/{module}/upsert", "If-Unmodified-Since X-EXTERNAL"),
        ("DELETE", "/crm/{version}/{module}", "X-EXTERNAL"),
        ("DELETE", "/crm/{version}/{module}/{record_id}", "X-EXTERNAL"),
    )
}
"""The documented headers, by method and path."""

USER_TYPES = (
    "AllUsers", "ActiveUsers", "DeactiveUsers", "ConfirmedUsers", "NotConfirmedUsers",
    "DeletedUsers", "ActiveConfirmedUsers", "AdminUsers", "ActiveConfirmedAdmins", "CurrentUser",
)  # fmt: skip
"""The documented values of the parameter `type` of a list of users."""

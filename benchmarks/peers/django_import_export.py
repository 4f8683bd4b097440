"""django-import-export: a model resource into SQLite, every row validated by its model.

Set so that good rows are kept when others are bad, and each bad one has its reason: validation of
the model on, no roll-back of the whole, one save for each row. With `use_bulk` a key that repeats
within a batch loses the batch; with `use_transactions` one bad row rolls everything back. One outer
transaction spares it a sync for each row.
"""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings
from django.db import connection, models, transaction
from peer import Task, main


def ready(task: Task) -> tuple[type[models.Model], Any]:
    """Django, set up for the folder's database; the model and its resource."""
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(task.folder / "target.db")}
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=["import_export"])
    django.setup()
    from import_export import resources

    class Lead(models.Model):
        Row_No = models.IntegerField(primary_key=True)
        Email = models.EmailField(max_length=100, unique=True)
        Last_Name = models.CharField(max_length=80)
        First_Name = models.CharField(max_length=40)
        Company = models.CharField(max_length=200)
        Phone = models.CharField(max_length=30)
        City = models.CharField(max_length=100)
        Annual_Revenue = models.DecimalField(max_digits=16, decimal_places=2)
        No_of_Employees = models.IntegerField()
        Met_On = models.DateField()

        class Meta:
            app_label = "peers"
            db_table = "leads"

    class LeadResource(resources.ModelResource):  # type: ignore[misc]
        class Meta:
            model = Lead
            import_id_fields = ("Row_No",)
            force_init_instance = True
            clean_model_instances = True
            skip_diff = True
            use_transactions = False

    return Lead, LeadResource()


def prepare(task: Task) -> None:
    """The table."""
    lead, _ = ready(task)
    with connection.schema_editor() as editor:
        editor.create_model(lead)
    connection.cursor().execute("PRAGMA journal_mode = WAL")


def load(task: Task) -> None:
    """Import, and note the rows that it names."""
    import tablib

    _, resource = ready(task)
    dataset = tablib.Dataset().load(task.csv.read_text(encoding="utf-8"), format="csv")
    with transaction.atomic():
        result = resource.import_data(dataset, raise_errors=False)
    named = [row.values[0] for row in result.invalid_rows]
    named += [error.row["Row_No"] for _, errors in result.row_errors() for error in errors]
    task.explained(named)


def account(task: Task) -> None:
    """The table."""
    lead, _ = ready(task)
    task.loaded(lead._default_manager.values_list("Row_No", flat=True).iterator())


if __name__ == "__main__":
    main(prepare, load, account)

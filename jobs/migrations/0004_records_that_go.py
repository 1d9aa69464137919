from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_looked_at")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="records_dropped_at",
            field=models.DateTimeField(null=True),
        ),
    ]

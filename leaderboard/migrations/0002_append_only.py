from django.db import migrations

from lemsite.lib.append_only import refuse_changes


class Migration(migrations.Migration):
    dependencies = [("leaderboard", "0001_initial")]

    operations = [refuse_changes("leaderboard_reviewevent")]

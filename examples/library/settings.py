"""Settings of a Django project. The secrets come from a sealed file beside it, verified, and never touch the disk."""

from pathlib import Path

import sealpy

HERE = Path(__file__).parent

# With pydantic: secrets = Secrets.model_validate(sealpy.load_secret(HERE / "secrets.yaml"))
secrets = sealpy.load_secret(HERE / "secrets.yaml")

DEBUG = False
SECRET_KEY = secrets["SECRET_KEY"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "db.shop.svc",
        "NAME": "shop",
        "USER": secrets["DB_USER"],
        "PASSWORD": secrets["DB_PASSWORD"],
    }
}

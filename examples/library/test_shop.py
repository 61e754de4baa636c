def connection_string(user: str, password: str) -> str:
    """Stand for the program under test."""
    return f"postgres://{user}:{password}@db.shop.svc:5432/shop"


def test_a_connection_names_its_user_and_its_database() -> None:
    assert connection_string("shop", "x") == "postgres://shop:x@db.shop.svc:5432/shop"


def test_the_sealed_credentials_make_a_connection(credentials: dict[str, str]) -> None:
    found = connection_string(credentials["DB_USER"], credentials["DB_PASSWORD"])

    assert found.startswith("postgres://shop:")

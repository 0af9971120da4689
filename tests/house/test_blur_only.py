"""Only video/blur.py builds a BlurredFrame; the recorder cannot even see a raw picture."""

import ast
from pathlib import Path

import calmstreet

SOURCE = Path(calmstreet.__file__).parent
MAKER = SOURCE / "video" / "blur.py"


def builds_blurred(path: Path) -> bool:
    """Whether a module calls BlurredFrame, copies one with changes, or calls it under any name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {"BlurredFrame"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {a.asname for a in node.names if a.name == "BlurredFrame" and a.asname}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in names:
                return True
    return False


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_only_blur_builds_what_may_be_kept() -> None:
    makers = [path for path in SOURCE.rglob("*.py") if builds_blurred(path)]
    assert makers == [MAKER]


def test_the_recorder_never_sees_a_raw_picture() -> None:
    todo, known = {"calmstreet.video.recorder"}, set[str]()
    while todo:
        module = todo.pop()
        known.add(module)
        path = SOURCE.joinpath(*module.split(".")[1:]).with_suffix(".py")
        if path.is_file():
            todo |= {name for name in imports(path) if name.startswith("calmstreet.")} - known
    assert "calmstreet.model.kept" in known
    assert "calmstreet.model.frame" not in known

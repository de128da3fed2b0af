"""Palabras en español de la imagen de una pantalla (trato de usted)."""

from probes.report import Facts

STEPS = {"picture": "Imagen de la pantalla"}
MISSING = {"missing": "xfreerdp, Xvfb"}
REMEDIES: dict[str, tuple[str, str, str | None]] = {
    "picture_not_available": (
        "Aquí no se pueden tomar imágenes por Escritorio remoto",
        "A este equipo le falta {missing}. El acceso en sí está comprobado; para tener también imágenes, instale lo "
        "que falta donde funciona Ventana.",
        "sudo apt install freerdp2-x11 xvfb",
    ),
    "picture_failed": (
        "No hay imagen de la pantalla",
        "El acceso en sí está comprobado y esto no cambia nada de él. Mire la pantalla cuando empiece la sesión.",
        None,
    ),
}
VARIANTS: dict[tuple[str, str], tuple[str, str, str | None]] = {}
FINDINGS = {
    "picture_not_available": "no disponible aquí: falta {missing}",
    "picture_failed": "no se ha tomado",
}
FINDING_VARIANTS: dict[tuple[str, str], str] = {
    ("picture_failed", "timeout"): "no se ha tomado: no llegó a tiempo",
    (
        "picture_failed",
        "too_large",
    ): "no se ha tomado: una pantalla de {width} × {height} es demasiado grande",
    ("picture_failed", "too_much"): "no se ha tomado: el servidor envía más de lo que tiene una pantalla",
    ("picture_failed", "closed"): "no se ha tomado: el servidor cuelga",
    ("picture_failed", "protocol"): "no se ha tomado: el servidor envía algo imposible",
    ("picture_failed", "not_connected"): "no se ha tomado: la sesión no se abrió",
    ("picture_failed", "broken"): "no se ha tomado: nuestra propia pantalla no arrancó",
    ("picture_failed", "busy"): "no se ha tomado: se estaban tomando demasiadas otras",
    ("picture_failed", "password"): "no se ha tomado: esta contraseña no se puede entregar",
}
_LOOKS = {"black": ", toda en negro", "uniform": ", toda de un color"}


def _taken(facts: Facts) -> str:
    size = f"{facts.get('width', '?')} × {facts.get('height', '?')}"
    where = ", la pantalla antes de entrar" if facts.get("shows") == "before_login" else ""
    return f"tomada{where}, {size}{_LOOKS.get(str(facts.get('look')), '')}"


LINES = {"picture": _taken}

"""Palabras en español de lo que todo acceso comparte (trato de usted)."""

STEPS = {
    "name": "Nombre",
    "port": "Puerto",
}
MISSING = {
    "addresses": "dirección literal",
    "username": "la cuenta",
    "host": "el sistema",
    "address": "la dirección",
    "source_address": "(la de nuestro servicio)",
    "port": "del servicio",
    "service": "otro servicio",
}
REMEDIES: dict[str, tuple[str, str, str | None]] = {
    "dns_nxdomain": (
        "El nombre {host} no existe",
        "Compruebe cómo está escrito el nombre o indíquenos la dirección IP pública en su lugar.",
        None,
    ),
    "dns_failed": (
        "El nombre {host} no se puede resolver",
        "El servidor de nombres del dominio responde con un error. Pida que lo revisen o indíquenos la IP "
        "pública.",
        None,
    ),
    "dns_timeout": (
        "Los servidores de nombres de {host} no responden",
        "Pida que revisen los servidores de nombres del dominio o indíquenos la dirección IP pública.",
        None,
    ),
    "address_refused": (
        "Esta dirección no se puede usar",
        "El sistema debe ser accesible en una dirección pública. Indíquenos su nombre o su dirección IP "
        "pública.",
        None,
    ),
    "tcp_refused": (
        "Nadie atiende en el puerto {port}",
        "Arranque el servicio o permita el puerto {port} en el cortafuegos para nuestra dirección "
        "{source_address}.",
        "{source_address}",
    ),
    "tcp_timeout": (
        "El puerto {port} no responde",
        "Abra el puerto {port} en el cortafuegos o el router para nuestra dirección {source_address}.",
        "{source_address}",
    ),
    "tcp_unreachable": (
        "No hay ruta hasta {host}",
        "No se llega a la dirección desde Internet. Compruebe la conexión del sistema y que esté encendido.",
        None,
    ),
    "tcp_reset": (
        "{host} corta la conexión",
        "Un cortafuegos o una lista de bloqueo corta nuestra conexión. Permita nuestra dirección "
        "{source_address} "
        "en el puerto {port}.",
        "{source_address}",
    ),
    "closed_before_banner": (
        "El servicio cierra sin decir nada",
        "Lo habitual es que una lista de bloqueo (fail2ban, hosts.deny) tenga nuestra dirección. Quite de "
        "ella "
        "{source_address}.",
        "sudo fail2ban-client unban {source_address}",
    ),
    "throttled": (
        "El servidor limita las conexiones",
        "El servidor rechaza conexiones por ahora. Volveremos a intentarlo; si continúa, permita "
        "{source_address}.",
        "{source_address}",
    ),
    "probe_bug": (
        "La comprobación falló por un error nuestro",
        "No dice nada de su sistema. Ya estamos avisados y volveremos a comprobarlo.",
        None,
    ),
    "turn_timeout": (
        "Aún se ejecutaba otra comprobación",
        "Cada sistema se comprueba de una en una. Repita la comprobación dentro de un minuto.",
        None,
    ),
    "login_put_off": (
        "Por ahora no se prueba el acceso",
        "En los últimos minutos se ha probado {host} muchas veces. Para no bloquear a nadie, el acceso "
        "espera un cuarto de hora; repita entonces la comprobación.",
        None,
    ),
    "total_timeout": (
        "La comprobación se interrumpió",
        "El sistema responde demasiado despacio y la comprobación no pudo acabar. Revise su carga y su "
        "línea.",
        "uptime",
    ),
}
FINDINGS = {
    "dns_nxdomain": "{host} no existe",
    "dns_failed": "el servidor de nombres responde con un error",
    "dns_timeout": "el servidor de nombres no responde",
    "address_refused": "esta dirección no se puede usar",
    "tcp_refused": "cerrado en {address}",
    "tcp_timeout": "{address} no responde",
    "tcp_unreachable": "sin ruta hasta {address}",
    "tcp_reset": "{address} corta la conexión",
    "closed_before_banner": "cierra sin decir nada",
    "throttled": "el servidor limita las conexiones",
    "probe_bug": "error nuestro, no juzgado",
    "turn_timeout": "otra comprobación en curso, no juzgado",
    "login_put_off": "acceso aplazado para no bloquear a nadie",
    "total_timeout": "demasiado lento",
}
VARIANTS: dict[tuple[str, str], tuple[str, str, str | None]] = {
    ("login_put_off", "refusals"): (
        "Por ahora no se prueba el acceso",
        "{host} ha rechazado varios accesos en los últimos minutos y uno más podría bloquear la cuenta. "
        "Revise usuario y contraseña y repita la comprobación dentro de un cuarto de hora.",
        None,
    ),
    ("login_put_off", "interrupted"): (
        "El acceso no se repitió",
        "La comprobación se interrumpió mientras iniciaba sesión. Para no usar dos veces una contraseña "
        "sin pedirlo, no volvió a entrar. Repita la comprobación.",
        None,
    ),
}
FINDING_VARIANTS = {
    ("login_put_off", "interrupted"): "interrumpido, y no repetido por sí solo",
}
EVIDENCE = {
    "name": "{addresses}",
    "port": "abierto en {address}",
}
WAYS = {
    "our_key": "nuestra clave",
    "private_key": "clave",
    "certificate": "certificado",
    "password": "contraseña",
    "keyboard-interactive": "contraseña (interactiva)",
    "none": "sin credencial",
}

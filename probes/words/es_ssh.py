"""Palabras en español de las comprobaciones por SSH (trato de usted)."""

from probes.report import Facts

STEPS = {
    "service": "Servicio SSH",
    "kex": "Intercambio de claves",
    "host_key": "Clave del servidor",
    "login": "Inicio de sesión",
    "command": "Orden",
    "asterisk": "Asterisk",
}
MISSING = {
    "fingerprint": "(huella sin leer)",
    "expected": "otra huella",
    "offered": "otra forma",
    "tried": "esta credencial",
    "banner": "otra cosa",
    "weak": "algoritmos antiguos",
    "key_kind": "esta clase de clave",
    "second_opinion": "otra cosa",
}
REMEDIES: dict[str, tuple[str, str, str | None]] = {
    "wrong_service": (
        "El puerto {port} no es SSH",
        "Ahí responde {service}. Indíquenos el puerto del servicio SSH.",
        "sudo sshd -T | grep ^port",
    ),
    "banner_timeout": (
        "El servicio acepta, pero no dice nada",
        "Reinicie el servicio SSH: acepta la conexión y después no responde.",
        "sudo systemctl restart sshd",
    ),
    "ssh_v1_only": (
        "El servidor solo habla SSH 1",
        "SSH 1 está roto y no se acepta. Active el protocolo 2 en la configuración del servicio SSH.",
        "Protocol 2",
    ),
    "kex_timeout": (
        "El cifrado no se acordó a tiempo",
        "Probablemente se pierden los paquetes grandes. Pida que revisen la MTU de la línea o del túnel.",
        None,
    ),
    "kex_mismatch": (
        "No hay un cifrado común con el servidor",
        "El servidor no ofrece nada que aún sea seguro ({offered}). Actualice su servicio SSH.",
        None,
    ),
    "weak_algorithms": (
        "El cifrado de este servidor es antiguo",
        "Se entra, pero con algoritmos que ya no son seguros ({weak}). Actualice el sistema; mientras tanto, "
        "permita SSH solo desde nuestra dirección.",
        "{source_address}",
    ),
    "opinions_differ": (
        "Nuestros dos clientes no coinciden",
        "Uno no llega a entrar y el otro sí pasa de ese punto, así que no culpamos al sistema. Repita la "
        "comprobación; si vuelve a ocurrir, es un fallo nuestro.",
        None,
    ),
    "key_unsupported": (
        "El servidor es demasiado antiguo para esta clave",
        "Su servicio SSH no conoce claves {key_kind}. Denos una contraseña o una clave RSA.",
        None,
    ),
    "kex_failed": (
        "El servidor falla en el intercambio de claves",
        "La prueba que da el servidor de su propia clave es errónea. Reinicie el servicio SSH; si persiste, "
        "reinstálelo.",
        "sudo systemctl restart sshd",
    ),
    "disconnected_in_kex": (
        "El servidor cuelga durante el intercambio de claves",
        "Vea el registro del servicio SSH; a menudo faltan sus claves o no se pueden leer.",
        "sudo ssh-keygen -A",
    ),
    "hostkey_unknown": (
        "Confirme la clave del servidor",
        "Es la primera vez que vemos este servidor. Compare la huella con la que muestra el servidor y "
        "confírmela.",
        "{fingerprint}",
    ),
    "hostkey_changed": (
        "La clave del servidor ha cambiado",
        "Se esperaba {expected}; el servidor muestra ahora {fingerprint}. No se ha enviado nada. Pregunte al "
        "cliente "
        "si se reinstaló el sistema y confirme la nueva clave solo entonces.",
        "{fingerprint}",
    ),
    "password_withheld": (
        "La contraseña no se ha enviado",
        "Una contraseña solo viaja a un servidor cuya clave está confirmada. Confirme la huella y repita.",
        "{fingerprint}",
    ),
    "auth_failed": (
        "{username} no puede entrar",
        "Compruebe el usuario y la credencial. Una contraseña errónea, un usuario inexistente y una cuenta "
        "bloqueada o caducada se ven igual desde fuera.",
        "sudo passwd -S {username}",
    ),
    "auth_method_not_offered": (
        "El servidor no admite esta forma de entrar",
        "El servidor admite: {offered}. Nosotros traemos: {tried}. Permítalo o denos otra credencial.",
        None,
    ),
    "auth_too_many_failures": (
        "Demasiados intentos",
        "El servidor ha contado demasiados intentos fallidos. Espere unos minutos o aumente MaxAuthTries.",
        None,
    ),
    "auth_timeout": (
        "El inicio de sesión tarda demasiado",
        "El servidor no contesta al inicio de sesión. A menudo espera a un servidor de nombres o directorio "
        "lento.",
        "UseDNS no",
    ),
    "disconnected_in_auth": (
        "El servidor cuelga durante el inicio de sesión",
        "Vea el registro del servicio SSH para {username}: límites (MaxStartups, AllowUsers) o PAM.",
        "sudo journalctl -u ssh -n 50",
    ),
    "credential_unusable": (
        "No hay credencial con la que entrar",
        "Guarde un usuario con nuestra clave pública, una clave privada sin contraseña o una contraseña.",
        None,
    ),
    "account_nologin": (
        "{username} no puede abrir sesiones",
        "Dé un intérprete de órdenes a la cuenta.",
        "sudo usermod -s /bin/bash {username}",
    ),
    "password_expired": (
        "La contraseña de {username} ha caducado",
        "Ponga una contraseña nueva y comuníquenosla o prorrogue la actual.",
        "sudo chage -M 99999 -d $(date +%F) {username}",
    ),
    "session_refused": (
        "Entra, pero sin sesión",
        "El servidor se niega a abrir una sesión para {username}. Revise MaxSessions y las opciones de su "
        "clave.",
        None,
    ),
    "cmd_not_found": (
        "Asterisk no está en este sistema",
        "Aquí no existe /usr/sbin/asterisk. Compruebe que sea la centralita y no otra máquina.",
        "which asterisk",
    ),
    "cmd_permission_denied": (
        "{username} no puede preguntar a Asterisk",
        "Permita que {username} lo ejecute con sudo sin contraseña.",
        "echo '{username} ALL=(root) NOPASSWD: /usr/sbin/asterisk' | sudo tee "
        "/etc/sudoers.d/asterisk-support",
    ),
    "cmd_timeout": (
        "La orden no termina",
        "El sistema deja entrar, pero una orden se queda colgada. Revise la carga y los discos del sistema.",
        "uptime",
    ),
    "cmd_killed": (
        "La orden fue interrumpida",
        "El sistema interrumpió la orden, normalmente por falta de memoria.",
        "free -m",
    ),
    "cmd_unexpected_output": (
        "La respuesta no es la esperada",
        "En lugar de ejecutar nuestra orden, la cuenta responde otra cosa. Revise si hay un menú o una orden "
        "forzada.",
        None,
    ),
    "sudo_password_required": (
        "sudo pide una contraseña a {username}",
        "Permita que {username} ejecute Asterisk con sudo sin contraseña.",
        "echo '{username} ALL=(root) NOPASSWD: /usr/sbin/asterisk' | sudo tee "
        "/etc/sudoers.d/asterisk-support",
    ),
    "asterisk_down": (
        "Asterisk no está en marcha",
        "Entramos, pero la centralita está parada. Arránquela.",
        "sudo systemctl start asterisk",
    ),
}
VARIANTS: dict[tuple[str, str], tuple[str, str, str | None]] = {
    ("kex_mismatch", "legacy"): (
        "El servidor solo ofrece cifrado antiguo",
        "Solo ofrece algoritmos antiguos ({offered}). Elija para este acceso el perfil «antiguo» si acepta el "
        "riesgo, o actualice su servicio SSH.",
        None,
    ),
    ("asterisk_down", "sysv"): (
        "Asterisk no está en marcha",
        "Entramos, pero la centralita está parada. Arránquela.",
        "sudo service asterisk start",
    ),
    ("auth_failed", "our_key"): (
        "Instale nuestra clave para {username}",
        "Ejecute esto una vez en el sistema, con permisos sobre la cuenta {username}:",
        "echo '{public_line}' >> ~{username}/.ssh/authorized_keys",
    ),
    ("auth_failed", "password"): (
        "No se acepta la contraseña de {username}",
        "Compruebe el usuario y la contraseña. Desde fuera, una contraseña errónea y una cuenta bloqueada o "
        "caducada "
        "se ven igual.",
        "sudo passwd -S {username}",
    ),
    ("auth_failed", "private_key"): (
        "No se acepta la clave que nos dio",
        "Compruebe que su mitad pública esté en authorized_keys de {username}.",
        "ls -ld ~{username}/.ssh/authorized_keys",
    ),
}
FINDINGS = {
    "wrong_service": "responde {service}, no SSH",
    "banner_timeout": "acepta, pero no dice nada",
    "ssh_v1_only": "solo habla SSH 1",
    "kex_timeout": "no se acordó a tiempo",
    "kex_mismatch": "ningún algoritmo en común",
    "weak_algorithms": "cifrado antiguo: {weak}",
    "opinions_differ": "nuestro otro cliente sí llega",
    "key_unsupported": "no conoce claves {key_kind}",
    "kex_failed": "la prueba del servidor es errónea",
    "disconnected_in_kex": "el servidor cuelga",
    "hostkey_unknown": "vista por primera vez: {fingerprint}",
    "hostkey_changed": "ha cambiado: ahora {fingerprint}",
    "password_withheld": "contraseña no enviada: clave del servidor sin confirmar",
    "auth_failed": "{username} no puede entrar",
    "auth_method_not_offered": "el servidor solo admite {offered}",
    "auth_too_many_failures": "demasiados intentos",
    "auth_timeout": "no contesta al inicio de sesión",
    "disconnected_in_auth": "el servidor cuelga",
    "credential_unusable": "no hay credencial utilizable",
    "account_nologin": "{username} no puede abrir sesiones",
    "password_expired": "la contraseña de {username} ha caducado",
    "session_refused": "sesión rechazada",
    "cmd_not_found": "no está",
    "cmd_permission_denied": "{username} no puede preguntarle",
    "cmd_timeout": "no termina",
    "cmd_killed": "interrumpida por el sistema",
    "cmd_unexpected_output": "respuesta inesperada",
    "sudo_password_required": "sudo pide una contraseña",
    "asterisk_down": "no está en marcha",
}
FINDING_VARIANTS: dict[tuple[str, str], str] = {
    ("kex_mismatch", "legacy"): "solo ofrece cifrado antiguo",
    ("auth_failed", "our_key"): "la cuenta {username} rechaza nuestra clave",
    ("auth_failed", "private_key"): "la cuenta {username} rechaza la clave",
    ("auth_failed", "password"): "la cuenta {username} rechaza la contraseña",
}
EVIDENCE = {
    "service": "{software}",
    "kex": "{kex}, {cipher}",
    "host_key": "confirmada: {fingerprint}",
    "login": "{username} entra con {tried}",
}


def command_line(facts: Facts) -> str:
    """Que obedece y, si se sabe, qué sistema es."""
    system = facts.get("distribution")
    return f"ejecuta órdenes: {system}" if system else "ejecuta órdenes"


def asterisk_line(facts: Facts) -> str:
    """Versión, tiempo en marcha y canales, hasta donde se sepa."""
    parts = [f"responde: {facts.get('version', '?')}"]
    if (seconds := facts.get("uptime_s")) is not None:
        parts.append(f"{_up(seconds)} en marcha")
    if (channels := facts.get("channels")) is not None:
        parts.append(f"{channels} {'canal' if channels == 1 else 'canales'}")
    return ", ".join(parts)


def _up(seconds: int) -> str:
    for size, unit in ((86400, "día"), (3600, "hora"), (60, "minuto"), (1, "segundo")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "0 segundos"


LINES = {"command": command_line, "asterisk": asterisk_line}

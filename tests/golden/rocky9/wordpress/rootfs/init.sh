#!/bin/sh
# Writes wp-config.php, waits for the database, and becomes the command that it is given.
#   WORDPRESS_DB_HOST       the database server, HOST or HOST:PORT (needed)
#   WORDPRESS_DB_PASSWORD   the password there (needed)
#   WORDPRESS_DB_USER       the account there (wordpress)
#   WORDPRESS_DB_NAME       the database (wordpress)
#   WORDPRESS_DB_WAIT       for how many seconds it may be away (60)
set -eu

web=nginx
config=/etc/wordpress/wp-config.php
keys=/etc/wordpress/keys/keys.php

fail() {
  printf '%s\n' "init.sh: $*" >&2
  exit 1
}

# A text as a PHP string.
php_string() {
  printf "'%s'" "$(printf '%s' "$1" | sed "s/[\\\\']/\\\\&/g")"
}

[ -n "${WORDPRESS_DB_HOST-}" ] || fail "WORDPRESS_DB_HOST is missing: the database server.
  Give it when the container is made: docker run --env WORDPRESS_DB_HOST=…"
[ -n "${WORDPRESS_DB_PASSWORD-}" ] || fail "WORDPRESS_DB_PASSWORD is missing: the password of the database.
  Give it when the container is made: docker run --env WORDPRESS_DB_PASSWORD=… (with Compose: DB_PASSWORD=… docker compose up)"
: "${WORDPRESS_DB_USER:=wordpress}" "${WORDPRESS_DB_NAME:=wordpress}" "${WORDPRESS_DB_WAIT:=60}"
export WORDPRESS_DB_HOST WORDPRESS_DB_PASSWORD WORDPRESS_DB_USER WORDPRESS_DB_NAME WORDPRESS_DB_WAIT

# Readable for the web server's group, for nobody else.
umask 027

# The keys sign the logins: made once, kept in a volume, the same for all containers of the site.
mkdir -p "${keys%/*}"
if [ ! -s "$keys" ]; then
  {
    echo '<?php'
    for name in AUTH SECURE_AUTH LOGGED_IN NONCE; do
      for kind in KEY SALT; do
        echo "define('${name}_$kind', '$(head -c 48 /dev/urandom | base64 | tr -d '\n')');"
      done
    done
  } >"$keys.new"
  mv "$keys.new" "$keys"
fi

cat >"$config.new" <<PHP
<?php
// Written by /init.sh at each start.
define('DB_HOST', $(php_string "$WORDPRESS_DB_HOST"));
define('DB_USER', $(php_string "$WORDPRESS_DB_USER"));
define('DB_PASSWORD', $(php_string "$WORDPRESS_DB_PASSWORD"));
define('DB_NAME', $(php_string "$WORDPRESS_DB_NAME"));
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
\$table_prefix = 'wp_';
require '$keys';

define('WP_CONTENT_DIR', '/app/wp-content');
// The code is the image's: a plugin that is added here would be gone with the container.
define('DISALLOW_FILE_MODS', true);
// supervisord runs it.
define('DISABLE_WP_CRON', true);

if (PHP_SAPI === 'cli' && !isset(\$_SERVER['HTTP_HOST'])) {
    \$_SERVER['HTTP_HOST'] = 'localhost';
}
// Behind a proxy that speaks TLS.
if (isset(\$_SERVER['HTTP_X_FORWARDED_PROTO']) && \$_SERVER['HTTP_X_FORWARDED_PROTO'] === 'https') {
    \$_SERVER['HTTPS'] = 'on';
}
if (!defined('ABSPATH')) {
    define('ABSPATH', '/usr/share/wordpress/');
}
require_once ABSPATH . 'wp-settings.php';
PHP
mv "$config.new" "$config"
chgrp -R "$web" "${keys%/*}" "$config"
chown "$web:$web" '/app/wp-content/uploads'

# Compose waits for the database on the first start only.
php /usr/local/lib/wait-for-database.php
unset WORDPRESS_DB_PASSWORD

exec "$@"

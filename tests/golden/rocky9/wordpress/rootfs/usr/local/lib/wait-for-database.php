<?php
// Waits until the database lets init.sh's account in, at most WORDPRESS_DB_WAIT seconds.
mysqli_report(MYSQLI_REPORT_OFF);
list($host, $port) = explode(':', getenv('WORDPRESS_DB_HOST') . ':3306');
$until = time() + (int) getenv('WORDPRESS_DB_WAIT');
for ($told = false; ; sleep(1)) {
    $db = mysqli_init();
    mysqli_options($db, MYSQLI_OPT_CONNECT_TIMEOUT, 5);
    if (@mysqli_real_connect($db, $host, getenv('WORDPRESS_DB_USER'), getenv('WORDPRESS_DB_PASSWORD'), getenv('WORDPRESS_DB_NAME'), (int) $port)) {
        exit(0);
    }
    $error = mysqli_connect_error();
    // The server is there and does not know the account, the password or the database: waiting changes nothing.
    $final = in_array(mysqli_connect_errno(), array(1044, 1045, 1049));
    if ($final || time() >= $until) {
        fwrite(STDERR, "wait-for-database: no database at " . getenv('WORDPRESS_DB_HOST') . ": $error\n");
        exit(1);
    }
    if (!$told) {
        fwrite(STDERR, "wait-for-database: waiting for the database at " . getenv('WORDPRESS_DB_HOST') . ": $error\n");
        $told = true;
    }
}

{#- Stands before nbgrader's base.tpl. Its children's "head" holds scripts in the page,
    which the policy forbids: there is no such block here, and page.js does their work. -#}
<!doctype html>
<html lang="en" data-base_url="{{ base_url }}" data-assignment_id="{{ assignment_id }}"
  data-notebook_id="{{ notebook_id }}" data-student_id="{{ student_id }}"
  data-url_prefix="{{ url_prefix }}" data-default_timezone="{{ default_timezone }}">
<head>
  <meta charset="utf-8">
  <title>nbgrader formgrade</title>
  {%- set stock = base_url ~ "/formgrader/static/" %}
  {%- for name in ("bootstrap/dist/css/bootstrap.min", "datatables.net-bs/css/dataTables.bootstrap") %}
  <link rel="stylesheet" href="{{ stock }}node_modules/{{ name }}.css">
  {%- endfor %}
  <link rel="stylesheet" href="{{ stock }}css/nbgrader.css">
  <link rel="stylesheet" href="{{ base_url }}/formgrader/pages/page.css">
  {%- for name in ("jquery/dist/jquery.min", "underscore/underscore-min", "backbone/backbone-min",
      "bootstrap/dist/js/bootstrap.min", "datatables.net/js/jquery.dataTables",
      "datatables.net-bs/js/dataTables.bootstrap") %}
  <script src="{{ stock }}node_modules/{{ name }}.js"></script>
  {%- endfor %}
  <script src="{{ base_url }}/formgrader/pages/page.js"></script>
  {%- for name in ("backbone_xsrf", "utils") %}
  <script src="{{ stock }}js/{{ name }}.js"></script>
  {%- endfor %}
  {%- if page.startswith(("gradebook_", "manage_")) %}
  <script src="{{ stock }}js/{{ page }}.js"></script>
  {%- endif %}
</head>
<body>
  <div class="container-fluid">
    <div class="page-header"><h1>{% block title %}{% endblock %}</h1></div>
    <div class="row">
      <div class="col-md-2">
        <ul class="nav nav-pills nav-stacked">{% block sidebar %}{% endblock %}</ul>
      </div>
      <div class="col-md-10">
        {% block body %}
        {% block breadcrumbs %}{% endblock %}
        {% block messages %}{% endblock %}
        <table class="table table-hover">
          <thead>{% block table_header %}{% endblock %}</thead>
          <tbody id="main-table">{% block table_body %}{% endblock %}</tbody>
          <tfoot>{% block table_footer %}{% endblock %}</tfoot>
        </table>
        {% endblock %}
      </div>
    </div>
  </div>
</body>
</html>

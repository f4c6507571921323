{% extends "base.tpl" %}
{% block title %}Submission not found{% endblock %}
{% block body %}
<p>Its notebook is not in the course folder. Grade it again: lab grade</p>
{% endblock %}
